// Stand-in for libsrtp 3's <srtp.h>: the libsrtp 3 names the mediasoup worker
// uses, on top of libsrtp 2. What differs between the two:
// - srtp_policy_t is an opaque handle with setters rather than a struct.
// - protect/unprotect take separate input and output buffers and size_t lengths
//   rather than working in place with an int length.
// - srtp_remove_stream() is now srtp_stream_remove().
// - There are two more error codes.
// The functions whose names libsrtp 2 has too are replaced by macros, set after
// <srtp2/srtp.h> is read. No MKI (the worker uses none).
#ifndef LIBSRTP3_STANDIN_SRTP_H
#define LIBSRTP3_STANDIN_SRTP_H

#include <srtp2/srtp.h>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>

struct Srtp3Policy
{
	srtp_policy_t policy{};
	// Master key followed by the master salt, as libsrtp 2 wants it.
	unsigned char key[SRTP_MAX_KEY_LEN]{};
};

static constexpr auto srtp_err_status_buffer_small = static_cast<srtp_err_status_t>(28);
static constexpr auto srtp_err_status_cryptex_err  = static_cast<srtp_err_status_t>(29);

inline srtp_err_status_t srtp_policy_create(Srtp3Policy** policy)
{
	*policy = new (std::nothrow) Srtp3Policy();

	return *policy != nullptr ? srtp_err_status_ok : srtp_err_status_alloc_fail;
}

inline void srtp_policy_destroy(Srtp3Policy* policy)
{
	if (policy != nullptr)
	{
		volatile unsigned char* key = policy->key;

		for (size_t i{ 0 }; i < sizeof(policy->key); ++i)
		{
			key[i] = 0;
		}
	}

	delete policy;
}

inline srtp_err_status_t srtp_policy_set_ssrc(Srtp3Policy* policy, srtp_ssrc_t ssrc)
{
	policy->policy.ssrc = ssrc;

	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_policy_set_profile(Srtp3Policy* policy, srtp_profile_t profile)
{
	// For SRTP_AES128_CM_SHA1_32 the second call sets the 80 bits tag that RTCP
	// must have.
	const srtp_err_status_t err =
	  srtp_crypto_policy_set_from_profile_for_rtp(&policy->policy.rtp, profile);

	if (err != srtp_err_status_ok)
	{
		return err;
	}

	return srtp_crypto_policy_set_from_profile_for_rtcp(&policy->policy.rtcp, profile);
}

inline srtp_err_status_t srtp_policy_add_key(
  Srtp3Policy* policy,
  const uint8_t* key,
  size_t keyLen,
  const uint8_t* salt,
  size_t saltLen,
  const uint8_t* mki,
  size_t mkiLen)
{
	if (mki != nullptr || mkiLen != 0 || policy->policy.key != nullptr || keyLen + saltLen > sizeof(policy->key))
	{
		return srtp_err_status_bad_param;
	}

	std::memcpy(policy->key, key, keyLen);
	std::memcpy(policy->key + keyLen, salt, saltLen);
	policy->policy.key = policy->key;

	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_policy_set_allow_repeat_tx(Srtp3Policy* policy, bool allow)
{
	policy->policy.allow_repeat_tx = allow ? 1 : 0;

	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_policy_set_window_size(Srtp3Policy* policy, size_t windowSize)
{
	policy->policy.window_size = static_cast<unsigned long>(windowSize);

	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp3_create(srtp_t* session, const Srtp3Policy* policy)
{
	return srtp_create(session, &policy->policy);
}

inline srtp_err_status_t srtp_stream_remove(srtp_t session, uint32_t ssrc)
{
	return srtp_remove_stream(session, ssrc);
}

// Copies the packet into the output buffer and runs the libsrtp 2 function on it
// there. extra: how many bytes it may add.
inline srtp_err_status_t srtp3_in_place(
  srtp_err_status_t (*function)(srtp_t, void*, int*),
  srtp_t session,
  const uint8_t* in,
  size_t inLen,
  uint8_t* out,
  size_t* outLen,
  size_t extra)
{
	if (inLen > 65536)
	{
		return srtp_err_status_bad_param;
	}

	if (*outLen < inLen + extra)
	{
		return srtp_err_status_buffer_small;
	}

	if (in != out)
	{
		std::memmove(out, in, inLen);
	}

	int len = static_cast<int>(inLen);

	const srtp_err_status_t err = function(session, out, &len);

	if (err == srtp_err_status_ok)
	{
		*outLen = static_cast<size_t>(len);
	}

	return err;
}

inline srtp_err_status_t srtp3_protect(
  srtp_t session, const uint8_t* in, size_t inLen, uint8_t* out, size_t* outLen, size_t /*mkiIndex*/)
{
	return srtp3_in_place(&srtp_protect, session, in, inLen, out, outLen, SRTP_MAX_TRAILER_LEN);
}

inline srtp_err_status_t srtp3_protect_rtcp(
  srtp_t session, const uint8_t* in, size_t inLen, uint8_t* out, size_t* outLen, size_t /*mkiIndex*/)
{
	return srtp3_in_place(
	  &srtp_protect_rtcp, session, in, inLen, out, outLen, SRTP_MAX_TRAILER_LEN + 4);
}

inline srtp_err_status_t srtp3_unprotect(
  srtp_t session, const uint8_t* in, size_t inLen, uint8_t* out, size_t* outLen)
{
	return srtp3_in_place(&srtp_unprotect, session, in, inLen, out, outLen, 0);
}

inline srtp_err_status_t srtp3_unprotect_rtcp(
  srtp_t session, const uint8_t* in, size_t inLen, uint8_t* out, size_t* outLen)
{
	return srtp3_in_place(&srtp_unprotect_rtcp, session, in, inLen, out, outLen, 0);
}

using srtp3_policy_t = Srtp3Policy*;

#define srtp_policy_t srtp3_policy_t
#define srtp_create srtp3_create
#define srtp_protect srtp3_protect
#define srtp_protect_rtcp srtp3_protect_rtcp
#define srtp_unprotect srtp3_unprotect
#define srtp_unprotect_rtcp srtp3_unprotect_rtcp

#endif
