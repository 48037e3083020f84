/** Descriptions as browsers write them, shortened to what negotiation reads and a little of what it does not. */

const text = (lines: string): string => `${lines.trim().replaceAll(/\n\t*/g, '\r\n')}\r\n`;

/** Chrome, policy balanced: a transport for every section, VP9 and AV1 besides what we have, session-level extmap-allow-mixed. */
export const CHROME_OFFER = text(`
	v=0
	o=- 5228595038118931041 2 IN IP4 127.0.0.1
	s=-
	t=0 0
	a=group:BUNDLE 0 1 2
	a=extmap-allow-mixed
	a=msid-semantic: WMS 8a1d7bd0-6f62-4c39-9a29-0b0d3b1c8f11
	m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
	c=IN IP4 0.0.0.0
	a=rtcp:9 IN IP4 0.0.0.0
	a=ice-ufrag:xOnA
	a=ice-pwd:4IOGIjvR8wMvGzbCQM0vO1Kc
	a=ice-options:trickle
	a=fingerprint:sha-256 0F:74:31:25:CB:A2:13:EC:28:6F:6D:2C:61:FF:5D:C2:BC:B9:DB:3D:98:14:8D:1A:BB:EA:33:0C:A4:60:A8:8E
	a=setup:actpass
	a=mid:0
	a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
	a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
	a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
	a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
	a=sendrecv
	a=msid:8a1d7bd0-6f62-4c39-9a29-0b0d3b1c8f11 c58c9e7b-6a2c-4b0b-a3f2-7a1b3e2b6c10
	a=rtcp-mux
	a=rtcp-rsize
	a=rtpmap:111 opus/48000/2
	a=rtcp-fb:111 transport-cc
	a=fmtp:111 minptime=10;useinbandfec=1
	a=rtpmap:63 red/48000/2
	a=fmtp:63 111/111
	a=rtpmap:9 G722/8000
	a=rtpmap:0 PCMU/8000
	a=rtpmap:8 PCMA/8000
	a=rtpmap:13 CN/8000
	a=rtpmap:110 telephone-event/48000
	a=rtpmap:126 telephone-event/8000
	a=ssrc:3570614608 cname:4TOk42mSjXCkVIa6
	a=ssrc:3570614608 msid:8a1d7bd0-6f62-4c39-9a29-0b0d3b1c8f11 c58c9e7b-6a2c-4b0b-a3f2-7a1b3e2b6c10
	m=video 9 UDP/TLS/RTP/SAVPF 96 97 98 99 102 103 104 105 108 109 45 46 127 125
	c=IN IP4 0.0.0.0
	a=rtcp:9 IN IP4 0.0.0.0
	a=ice-ufrag:wU1l
	a=ice-pwd:GmGxKrOGEv4UmjaykPdN3bDL
	a=ice-options:trickle
	a=fingerprint:sha-256 0F:74:31:25:CB:A2:13:EC:28:6F:6D:2C:61:FF:5D:C2:BC:B9:DB:3D:98:14:8D:1A:BB:EA:33:0C:A4:60:A8:8E
	a=setup:actpass
	a=mid:1
	a=extmap:14 urn:ietf:params:rtp-hdrext:toffset
	a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
	a=extmap:13 urn:3gpp:video-orientation
	a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
	a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
	a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
	a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id
	a=sendrecv
	a=msid:8a1d7bd0-6f62-4c39-9a29-0b0d3b1c8f11 d7a5b8c2-0a52-4f6e-8a64-6c8a8c9d2b31
	a=rtcp-mux
	a=rtcp-rsize
	a=rtpmap:96 VP8/90000
	a=rtcp-fb:96 goog-remb
	a=rtcp-fb:96 transport-cc
	a=rtcp-fb:96 ccm fir
	a=rtcp-fb:96 nack
	a=rtcp-fb:96 nack pli
	a=rtpmap:97 rtx/90000
	a=fmtp:97 apt=96
	a=rtpmap:98 VP9/90000
	a=rtcp-fb:98 nack
	a=fmtp:98 profile-id=0
	a=rtpmap:99 rtx/90000
	a=fmtp:99 apt=98
	a=rtpmap:102 H264/90000
	a=rtcp-fb:102 goog-remb
	a=rtcp-fb:102 nack
	a=rtcp-fb:102 nack pli
	a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f
	a=rtpmap:103 rtx/90000
	a=fmtp:103 apt=102
	a=rtpmap:104 H264/90000
	a=fmtp:104 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42001f
	a=rtpmap:105 rtx/90000
	a=fmtp:105 apt=104
	a=rtpmap:108 H264/90000
	a=rtcp-fb:108 nack
	a=fmtp:108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
	a=rtpmap:109 rtx/90000
	a=fmtp:109 apt=108
	a=rtpmap:45 AV1/90000
	a=fmtp:45 level-idx=5;profile=0;tier=0
	a=rtpmap:46 rtx/90000
	a=fmtp:46 apt=45
	a=rtpmap:127 red/90000
	a=rtpmap:125 ulpfec/90000
	a=ssrc-group:FID 2231627014 632943048
	a=ssrc:2231627014 cname:4TOk42mSjXCkVIa6
	a=ssrc:2231627014 msid:8a1d7bd0-6f62-4c39-9a29-0b0d3b1c8f11 d7a5b8c2-0a52-4f6e-8a64-6c8a8c9d2b31
	a=ssrc:632943048 cname:4TOk42mSjXCkVIa6
	a=ssrc:632943048 msid:8a1d7bd0-6f62-4c39-9a29-0b0d3b1c8f11 d7a5b8c2-0a52-4f6e-8a64-6c8a8c9d2b31
	m=application 9 UDP/DTLS/SCTP webrtc-datachannel
	c=IN IP4 0.0.0.0
	a=ice-ufrag:Xz9a
	a=ice-pwd:qVyRFzYp1mXoT8oW3iU2bNcE
	a=ice-options:trickle
	a=fingerprint:sha-256 0F:74:31:25:CB:A2:13:EC:28:6F:6D:2C:61:FF:5D:C2:BC:B9:DB:3D:98:14:8D:1A:BB:EA:33:0C:A4:60:A8:8E
	a=setup:actpass
	a=mid:2
	a=sctp-port:5000
	a=max-message-size:262144`);

/** Firefox: fingerprint and options for the session, directed extensions, bundle-only, other payload types, the candidates gathered. */
export const FIREFOX_OFFER = text(`
	v=0
	o=mozilla...THIS_IS_SDPARTA-99.0 5923342918476251938 0 IN IP4 0.0.0.0
	s=-
	t=0 0
	a=fingerprint:sha-256 5D:4F:44:15:9B:62:4A:9C:11:4E:6A:1E:6B:2C:24:9F:EE:66:41:16:60:3F:9D:35:52:B8:5A:AD:8C:6A:9F:3E
	a=group:BUNDLE 0 1 2
	a=ice-options:trickle
	a=msid-semantic:WMS *
	m=audio 48144 UDP/TLS/RTP/SAVPF 109 9 0 8 101
	c=IN IP4 192.168.0.53
	a=candidate:0 1 UDP 2122252543 192.168.0.53 48144 typ host
	a=candidate:2 1 TCP 2105524479 192.168.0.53 9 typ host tcptype active
	a=sendrecv
	a=end-of-candidates
	a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
	a=extmap:2/recvonly urn:ietf:params:rtp-hdrext:csrc-audio-level
	a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid
	a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1
	a=fmtp:101 0-15
	a=ice-pwd:e3baa26dd2fa5030d881d385f1e36cce
	a=ice-ufrag:58b99ead
	a=mid:0
	a=msid:{5a990edd-0568-ac40-8d97-310fc33f3411} {218cfa1c-617d-2249-9997-60929ce4c405}
	a=rtcp-mux
	a=rtpmap:109 opus/48000/2
	a=rtpmap:9 G722/8000/1
	a=rtpmap:0 PCMU/8000
	a=rtpmap:8 PCMA/8000
	a=rtpmap:101 telephone-event/8000/1
	a=setup:actpass
	a=ssrc:2655508255 cname:{735484ea-4f6c-f74a-bd66-7425f8476c2e}
	m=video 0 UDP/TLS/RTP/SAVPF 120 124 121 125 126 127 97 98
	c=IN IP4 0.0.0.0
	a=bundle-only
	a=recvonly
	a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid
	a=extmap:4 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
	a=extmap:5/sendonly urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
	a=fmtp:126 profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode=1
	a=fmtp:97 profile-level-id=42e01f;level-asymmetry-allowed=1
	a=fmtp:120 max-fs=12288;max-fr=60
	a=fmtp:124 apt=120
	a=fmtp:125 apt=121
	a=fmtp:127 apt=126
	a=fmtp:98 apt=97
	a=mid:1
	a=rtcp-fb:120 nack
	a=rtcp-fb:120 nack pli
	a=rtcp-fb:120 ccm fir
	a=rtcp-fb:120 goog-remb
	a=rtcp-fb:120 transport-cc
	a=rtcp-fb:126 nack
	a=rtcp-mux
	a=rtcp-rsize
	a=rtpmap:120 VP8/90000
	a=rtpmap:124 rtx/90000
	a=rtpmap:121 VP9/90000
	a=rtpmap:125 rtx/90000
	a=rtpmap:126 H264/90000
	a=rtpmap:127 rtx/90000
	a=rtpmap:97 H264/90000
	a=rtpmap:98 rtx/90000
	m=application 0 UDP/DTLS/SCTP webrtc-datachannel
	c=IN IP4 0.0.0.0
	a=bundle-only
	a=sendrecv
	a=mid:2
	a=sctp-port:5000
	a=max-message-size:1073741823`);

/** A text with its first occurrence of something replaced; complains when there is none. */
export function edit(sdp: string, from: string | RegExp, to: string): string {
	const edited = sdp.replace(from, to);
	if (edited === sdp) throw new Error(`nothing to edit: ${from}`);
	return edited;
}
