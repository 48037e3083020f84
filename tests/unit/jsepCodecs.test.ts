import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { answerFormat, matches } from '../../shim/jsep/codecs.ts';
import type { Codec, Direction } from '../../shim/jsep/index.ts';
import {
	type CodecCapability,
	checkCodecPreferences,
	getCapabilities,
	intersectDirections,
	receives,
	reverseDirection,
	sends,
	withReceive,
	withSend,
} from '../../shim/jsep/index.ts';

const h264 = (sdpFmtpLine?: string): Codec => ({
	mimeType: 'video/H264',
	payloadType: 102,
	clockRate: 90000,
	...(sdpFmtpLine === undefined ? {} : { sdpFmtpLine }),
	rtcpFeedback: [],
});
const profile = (id: string, rest = 'packetization-mode=1') => h264(`${rest};profile-level-id=${id}`);
const opus = (rest: Partial<Codec> = {}): Codec => ({
	mimeType: 'audio/opus',
	payloadType: 111,
	clockRate: 48000,
	channels: 2,
	rtcpFeedback: [],
	...rest,
});

for (const [what, a, b, same] of [
	['opus by any case', opus(), opus({ mimeType: 'audio/OPUS' }), true],
	['opus of any format', opus({ sdpFmtpLine: 'stereo=1' }), opus({ sdpFmtpLine: 'useinbandfec=1' }), true],
	['opus of another rate', opus(), opus({ clockRate: 16000 }), false],
	['opus of one channel', opus(), opus({ channels: 1 }), false],
	['channels left out for one', opus({ channels: 1 }), opus({ channels: undefined }), true],
	['opus and another', opus(), opus({ mimeType: 'audio/PCMU' }), false],
	['one profile at two levels', profile('42e01f'), profile('42e034'), true],
	['constrained baseline said in three ways', profile('42e01f'), profile('4d801f'), true],
	['constrained baseline, upper case', profile('42e01f'), profile('42C01F'), true],
	['baseline and constrained baseline', profile('42001f'), profile('42e01f'), false],
	['baseline and high', profile('42001f'), profile('64001f'), false],
	['no profile, which is constrained baseline', profile('42e01f'), h264('packetization-mode=1'), true],
	['a profile that is not one', profile('42e01f'), profile('zz'), false],
	['an unknown profile, even with itself', profile('ff001f'), profile('ff001f'), false],
	['two packetization modes', profile('42e01f'), profile('42e01f', 'packetization-mode=0'), false],
	['mode 0 said and left out', profile('42e01f', 'packetization-mode=0'), profile('42e01f', 'x=1'), true],
	['parameters named in capitals', profile('42e01f'), h264('PROFILE-LEVEL-ID=42e01f; Packetization-Mode=1'), true],
] as const)
	test(`${what}: ${same ? 'the same codec' : 'not the same codec'}`, () => {
		assert.is(matches(a, b), same);
		assert.is(matches(b, a), same);
	});

const OURS = 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f';
for (const [offered, answered] of [
	['level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e00a', OURS],
	['packetization-mode=1;profile-level-id=42e00a', 'packetization-mode=1;profile-level-id=42e00a'],
	['packetization-mode=1;profile-level-id=42e034', 'packetization-mode=1;profile-level-id=42e01f'],
	['packetization-mode=1;profile-level-id=42f00b', 'packetization-mode=1;profile-level-id=42e00b'],
] as const)
	test(`H.264 offered as ${offered} is answered as ${answered}`, () =>
		assert.is(answerFormat(OURS, h264(offered)), answered));

test('capabilities name what the worker codes: rtx once, without a format', () => {
	const names = (kind: string) => getCapabilities(kind)!.codecs.map(({ mimeType }) => mimeType);
	const events = ['audio/telephone-event', 'audio/telephone-event'];
	assert.equal(names('audio'), ['audio/opus', 'audio/G722', 'audio/PCMU', 'audio/PCMA', ...events]);
	assert.equal(names('video'), ['video/VP8', 'video/H264', 'video/H264', 'video/rtx']);
	assert.equal(getCapabilities('video')!.codecs.at(-1), { mimeType: 'video/rtx', clockRate: 90000 });
	assert.equal(getCapabilities('audio')!.codecs[0], {
		mimeType: 'audio/opus',
		clockRate: 48000,
		channels: 2,
		sdpFmtpLine: 'minptime=10;useinbandfec=1',
	});
	assert.is(getCapabilities('text'), null);
	assert.is(getCapabilities('toString'), null);
});

test('capabilities are fresh at each call', () => {
	getCapabilities('audio')!.codecs[0]!.mimeType = 'audio/mine';
	assert.is(getCapabilities('audio')!.codecs[0]!.mimeType, 'audio/opus');
});

const [vp8, h264a, , rtx] = getCapabilities('video')!.codecs as [
	CodecCapability,
	CodecCapability,
	CodecCapability,
	CodecCapability,
];
for (const [what, codecs, error] of [
	['none, which resets them', [], null],
	['one', [vp8], null],
	['one twice', [vp8, vp8], null],
	['all in another order', [rtx, h264a, vp8], null],
	['another case', [{ ...vp8, mimeType: 'VIDEO/vp8' }], null],
	[
		'parameters in another order',
		[{ ...h264a, sdpFmtpLine: 'profile-level-id=42001F;packetization-mode=1; level-asymmetry-allowed=1' }],
		null,
	],
	['rtx alone', [rtx], 'InvalidModificationError'],
	['one of the other kind', [opus()], 'InvalidModificationError'],
	['one we do not have', [{ mimeType: 'video/AV1', clockRate: 90000 }], 'InvalidModificationError'],
	['another rate', [{ ...vp8, clockRate: 1 }], 'InvalidModificationError'],
	['channels for video', [{ ...vp8, channels: 2 }], 'InvalidModificationError'],
	[
		'another format',
		[{ ...h264a, sdpFmtpLine: 'packetization-mode=0;profile-level-id=42001f' }],
		'InvalidModificationError',
	],
	['no format where there is one', [{ ...h264a, sdpFmtpLine: undefined }], 'InvalidModificationError'],
] as const)
	test(`codec preferences of ${what}: ${error ?? 'taken'}`, () =>
		assert.is(checkCodecPreferences('video', codecs)?.name ?? null, error));

test('directions are arithmetic of two bits', () => {
	const all: Direction[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive'];
	for (const a of all) {
		assert.is(reverseDirection(reverseDirection(a)), a);
		assert.is(sends(reverseDirection(a)), receives(a));
		assert.ok(sends(withSend(a, true)) && !sends(withSend(a, false)));
		assert.ok(receives(withReceive(a, true)) && receives(withSend(a, true)) === receives(a));
		for (const b of all) {
			const both = intersectDirections(a, b);
			assert.is(sends(both), sends(a) && sends(b));
			assert.is(receives(both), receives(a) && receives(b));
		}
	}
});

test.run();
