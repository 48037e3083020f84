import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
	createMediaDevices,
	InputDeviceInfo,
	MediaDevices,
	type OverconstrainedError,
} from '../../shim/media/index.ts';
import { FakeSession } from './media.fakes.ts';

function devices(session = new FakeSession()): { session: FakeSession; media: MediaDevices } {
	return { session, media: createMediaDevices({ session: () => session.real }) };
}

async function refusal(constraints: MediaStreamConstraints | undefined, session = new FakeSession()): Promise<Error> {
	try {
		await devices(session).media.getUserMedia(constraints);
	} catch (error) {
		return error as Error;
	}
	throw new Error('it was not refused');
}

test('getUserMedia gives a test picture and a tone unless told otherwise, from one source', async () => {
	const { session, media } = devices();
	const stream = await media.getUserMedia({ audio: true, video: { width: 320, code: 7 } });
	assert.equal(
		session.made.map(({ type, params }) => [type, params]),
		[
			[
				'MediaSource',
				{
					type: 'test',
					source: undefined,
					loop: false,
					audio: { sampleRate: 48_000, channelCount: 1, frequency: 440 },
					video: { width: 320, height: 480, frameRate: 30, code: 7 },
				},
			],
		],
	);
	const [video] = stream.getVideoTracks();
	assert.is(video!.label, 'Test camera');
	assert.is(video!.getSettings().width, 320);
	assert.is(video!.getSettings().deviceId, 'test-camera');
	assert.equal(video!.getConstraints(), { width: 320, code: 7 });
	assert.equal(video!.getCapabilities().width, { min: 320, max: 320 });
});

test('what is called on another object than its own is refused', async () => {
	const { enumerateDevices, getSupportedConstraints } = MediaDevices.prototype;
	assert.throws(() => getSupportedConstraints.call(null as never), TypeError);
	const refused = await enumerateDevices.call(null as never).catch((error: unknown) => error);
	assert.instance(refused, TypeError);
	const device = InputDeviceInfo.prototype;
	assert.throws(() => device.groupId, TypeError);
	assert.throws(() => device.toJSON.call({} as never), TypeError);
	assert.throws(() => device.getCapabilities.call({} as never), TypeError);
});

test('both kinds of one file share a source; other files have their own', async () => {
	const file = { sourceType: 'file', source: 'talk.webm', loop: true } as const;
	const { session, media } = devices();
	const stream = await media.getUserMedia({ audio: file, video: file });
	assert.is(session.made.length, 1);
	assert.equal(session.made[0]!.params, { type: 'file', source: 'talk.webm', loop: true, audio: {}, video: {} });
	assert.equal(
		stream.getTracks().map(({ label }) => label),
		['talk.webm', 'talk.webm'],
	);
	await media.getUserMedia({ audio: file, video: { ...file, source: 'other.webm' } });
	assert.equal(
		session.made.map(({ params }) => params.source),
		['talk.webm', 'talk.webm', 'other.webm'],
	);
});

test('getUserMedia wants audio or video', async () => {
	for (const constraints of [undefined, {}, { audio: false, video: false }]) {
		assert.instance(await refusal(constraints), TypeError);
	}
});

test('constraints of the wrong type are a TypeError that names them', async () => {
	const wrong: [unknown, RegExp][] = [
		[{ width: 'wide' }, /width/],
		[{ width: { exact: Number.NaN } }, /width\.exact/],
		[{ sourceType: 'tape' }, /sourceType/],
		[{ sourceType: 'file' }, /needs a source/],
		[{ sourceType: 'url' }, /needs a source/],
	];
	for (const [video, message] of wrong) {
		const error = await refusal({ video: video as MediaTrackConstraints });
		assert.instance(error, TypeError);
		assert.match(error.message, message);
	}
});

test('a required constraint that cannot be met is an OverconstrainedError that names it', async () => {
	const unmet: [MediaTrackConstraints, string][] = [
		[{ width: { exact: 99_999 } }, 'width'],
		[{ width: { exact: 321 } }, 'width'],
		[{ height: { min: 5000 } }, 'height'],
		[{ frameRate: { min: 30, max: 20 } }, 'frameRate'],
		[{ deviceId: { exact: 'another' } }, 'deviceId'],
		[{ facingMode: { exact: 'user' } }, 'facingMode'],
		[{ aspectRatio: { exact: 2 } }, 'aspectRatio'],
	];
	for (const [video, name] of unmet) {
		const session = new FakeSession();
		const error = (await refusal({ video }, session)) as OverconstrainedError;
		assert.equal([error.name, error.constraint], ['OverconstrainedError', name]);
		assert.is(session.alive('MediaSource').length, 0);
	}
});

test('ideal values and ranges choose within what the test source has', async () => {
	const { session, media } = devices();
	await media.getUserMedia({
		video: { width: { ideal: 99_999 }, height: { min: 600 }, frameRate: { max: 10 }, deviceId: 'another' },
	});
	assert.equal(session.made[0]!.params.video, { width: 3840, height: 600, frameRate: 10, code: 0 });
});

test('what a file has must meet what is required of it', async () => {
	const file = { sourceType: 'file', source: 'talk.webm' } as const;
	const { session, media } = devices();
	await media.getUserMedia({ video: { ...file, width: { ideal: 1280 } } });
	const error = (await refusal({ video: { ...file, width: { min: 1280 } } }, session)) as OverconstrainedError;
	assert.is(error.constraint, 'width');
	assert.is(session.alive('MediaSource').length, 1);
});

test('a file is asked for nothing, a device for what is wanted, within reason', async () => {
	const { session, media } = devices();
	const wanted = { width: { ideal: 99_999 }, height: 240.5, frameRate: { min: 5 } };
	await media.getUserMedia({ video: { sourceType: 'file', source: 'talk.webm', ...wanted } });
	await media.getUserMedia({ video: { sourceType: 'device', ...wanted } });
	assert.equal(
		session.made.map(({ params }) => params.video),
		[{}, { width: 3840, height: 240 }],
	);
});

test('a source that does not open gives its error, and leaves nothing', async () => {
	const session = new FakeSession();
	session.answer = ({ params }) => {
		if (params.source === 'missing.webm') throw new DOMException('There is no file missing.webm', 'NotFoundError');
		return { audio: { sampleRate: 48_000, channelCount: 1 } };
	};
	const error = await refusal({ audio: true, video: { sourceType: 'file', source: 'missing.webm' } }, session);
	assert.equal([error.name, error.message], ['NotFoundError', 'There is no file missing.webm']);
	assert.is(session.alive('MediaSource').length, 0);
});

test('applyConstraints keeps what the source meets and refuses the rest', async () => {
	const { media } = devices();
	const [track] = (await media.getUserMedia({ video: true })).getVideoTracks();
	await track!.applyConstraints({ width: { ideal: 320 } });
	assert.equal(track!.getConstraints(), { width: { ideal: 320 } });
	try {
		await track!.applyConstraints({ width: { exact: 320 } });
		assert.unreachable();
	} catch (error) {
		assert.is((error as OverconstrainedError).constraint, 'width');
	}
	assert.equal(track!.getConstraints(), { width: { ideal: 320 } });
	track!.stop();
	await track!.applyConstraints({ width: { exact: 320 } });
});

test('constraints are copied, also out of a proxy', async () => {
	const { media } = devices();
	const video = new Proxy({ width: { ideal: 320 }, advanced: [{ height: 240 }] }, {});
	const [track] = (await media.getUserMedia({ video })).getVideoTracks();
	video.width.ideal = 1;
	track!.getConstraints().width = 5;
	assert.equal(track!.clone().getConstraints(), { width: { ideal: 320 }, advanced: [{ height: 240 }] });
});

test('enumerateDevices lists a test microphone and a test camera', async () => {
	const list = await devices().media.enumerateDevices();
	assert.equal(
		list.map((device) => device.toJSON()),
		[
			{ deviceId: 'test-microphone', kind: 'audioinput', label: 'Test microphone', groupId: 'test' },
			{ deviceId: 'test-camera', kind: 'videoinput', label: 'Test camera', groupId: 'test' },
		],
	);
	assert.ok(list.every((device) => device instanceof InputDeviceInfo));
	assert.equal(list[1]!.getCapabilities().frameRate, { min: 1, max: 60 });
});

test('what getSupportedConstraints says is its own copy', () => {
	const { media } = devices();
	assert.is(media.getSupportedConstraints().width, true);
	media.getSupportedConstraints().width = false;
	assert.is(media.getSupportedConstraints().width, true);
	assert.throws(() => new MediaDevices(), TypeError);
});

test.run();
