import type { types } from 'mediasoup';

/** What the router forwards. H264 is constrained baseline, level 3.1, which every WebRTC stack speaks. */
export const MEDIA_CODECS: types.RouterRtpCodecCapability[] = [
	{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2 },
	{ kind: 'video', mimeType: 'video/VP8', clockRate: 90_000 },
	{
		kind: 'video',
		mimeType: 'video/H264',
		clockRate: 90_000,
		parameters: { 'packetization-mode': 1, 'profile-level-id': '42e01f', 'level-asymmetry-allowed': 1 },
	},
];
