import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Frame, parseRecords, RECORD_HEADER, writeRecordHeader } from '../../../shim/link/frames.ts';
import { Session, type SessionOptions } from '../../../shim/rpc/Session.ts';
import type { AudioHeader, VideoHeader } from '../../../shim/rpc/types.ts';
import { eventually, sleep } from '../link/eventually.ts';
import { FakeWorker } from '../link/fakeWorker.ts';
import { Relay } from '../link/relay.ts';

function open(options: Partial<SessionOptions> = {}) {
	const worker = new FakeWorker();
	const relay = new Relay(worker);
	const connect = () => ({ url: 'memory:', token: 'secret' });
	const session = new Session({ connect, openSocket: relay.open, patienceSeconds: 0.1, ...options });
	return { worker, relay, session };
}

function record(kind: number, object: number, payload: Uint8Array, flags = 0): Uint8Array<ArrayBuffer> {
	const frame = new Uint8Array(RECORD_HEADER + payload.byteLength);
	writeRecordHeader(new DataView(frame.buffer), 0, kind, flags, object, payload.byteLength);
	frame.set(payload, RECORD_HEADER);
	return frame;
}

function credit(object: number, amount: number): Uint8Array<ArrayBuffer> {
	const payload = new Uint8Array(4);
	new DataView(payload.buffer).setUint32(0, amount);
	return record(3, object, payload);
}

function join(...frames: Uint8Array[]): Uint8Array<ArrayBuffer> {
	return new Uint8Array(frames.flatMap((frame) => [...frame]));
}

const messages = (frames: Frame[]) =>
	frames.filter((frame) => typeof frame !== 'string').flatMap((f) => parseRecords(f));
/** An object of the fake worker, which looks at no parameters. */
const named = 1 as never;
const channel = { transport: named, label: 'chat' };
const picture: VideoHeader = { timestamp: 0, duration: null, format: 'I420', width: 2, height: 2, rotation: 0 };

test('what is made and called before the link is open goes out in order', async () => {
	const { worker, session } = open();
	const ice = session.create('IceTransport', {
		usernameFragment: 'u',
		password: 'p',
		iceServers: [],
		iceTransportPolicy: 'all',
		role: 'controlling',
	});
	void ice.call('gather', {});
	ice.drop();
	await eventually('frames', () => worker.frames.length === 3);
	assert.equal(
		worker.frames.map((frame) => Object.keys(JSON.parse(frame as string))[0]),
		['new', 'call', 'drop'],
	);
	await session.close();
});

test('lone surrogates in parameters cross as U+FFFD, and pairs and backslashes as they are', async () => {
	const { worker, session } = open();
	const given = ['\ud800', 'a\udfff\ud800z', '😀', '\\ud800', '\\\ud800', '"\udbff"'];
	for (const label of given) session.create('DataChannel', { ...channel, label });
	await eventually('frames', () => worker.frames.length === given.length);
	assert.equal(
		worker.frames.map((frame) => JSON.parse(frame as string).in.label),
		['\ufffd', 'a\ufffd\ufffdz', '😀', '\\ud800', '\\\ufffd', '"\ufffd"'],
	);
	assert.not(worker.frames.some((frame) => /[^\\]\\ud/.test(frame as string)));
	await session.close();
});

test('what connect() throws at once is the failure of the session', async () => {
	const reason = new DOMException('No bridge', 'InvalidStateError');
	const connect = () => {
		throw reason;
	};
	const session = new Session({ connect, patienceSeconds: 0 });
	const error: Error = await session.ready.catch((error) => error);
	assert.is(error, session.failure);
	assert.match(error.message, /No bridge/);
});

test('a reply resolves its call; an error rejects it with its name and the stack of the caller', async () => {
	const { worker, session } = open();
	worker.answer = (frame) => {
		const { call, do: name } = JSON.parse(frame as string);
		const error = { name: name === 'dump' ? 'NotFoundError' : 'TypeError', message: 'no' };
		worker.down(JSON.stringify({ reply: call, error }));
	};
	async function caller() {
		await session.root.call('dump', {});
	}
	try {
		await caller();
		assert.unreachable();
	} catch (error) {
		assert.instance(error, DOMException);
		assert.is((error as DOMException).name, 'NotFoundError');
		assert.match((error as DOMException).stack!, /^NotFoundError: no\n +at caller /);
	}
	const error = await session.root.call('ping', {}).catch((error: unknown) => error);
	assert.instance(error, TypeError);
	await session.close();
});

test('a failed call that nobody awaits is no unhandled rejection', async () => {
	const { worker, session } = open();
	const unhandled: unknown[] = [];
	process.on('unhandledRejection', (error) => unhandled.push(error));
	worker.answer = (frame) =>
		worker.down(JSON.stringify({ reply: JSON.parse(frame as string).call, error: { name: 'TypeError', message: '' } }));
	void session.root.call('ping', {});
	await sleep(20);
	assert.equal(unhandled, []);
	await session.close();
});

test('100 messages in one frame reach a loop that awaits one at a time as 100', async () => {
	const { worker, session } = open();
	const remote = session.create('DataChannel', channel);
	await session.ready;
	worker.down(join(...Array.from({ length: 100 }, (_, n) => record(1, 1, new Uint8Array([n])))));
	const seen: number[] = [];
	while (seen.length < 100) {
		const data = await new Promise<Uint8Array>((resolve, reject) => {
			remote.onmessage = (data) => {
				remote.onmessage = null;
				resolve(data as Uint8Array);
			};
			setTimeout(() => reject(new Error(`stuck after ${seen.length}`)), 1000).unref();
		});
		seen.push(data[0]!);
	}
	assert.equal(seen, [...seen.keys()]);
	await session.close();
});

test('events, messages and replies come in the order in which they were sent', async () => {
	const { worker, session } = open();
	const remote = session.create('DataChannel', channel);
	const log: unknown[] = [];
	remote.on('open', ({ streamId }) => log.push(['open', streamId]));
	remote.onmessage = (data) => log.push(data);
	remote.on('close', () => log.push('close'));
	void remote.call('close', {}).then(() => log.push('reply'));
	await eventually('call', () => worker.frames.length === 2);
	worker.down('{"event":"open","on":1,"out":{"streamId":4}}');
	worker.down(record(1, 1, new TextEncoder().encode('he'), 3));
	worker.down(record(1, 1, new TextEncoder().encode('llo'), 1));
	worker.down('{"event":"close","on":1,"out":{}}');
	worker.down('{"reply":1,"out":{}}');
	await eventually('all', () => log.length === 4);
	assert.equal(log, [['open', 4], 'hello', 'close', 'reply']);
	await session.close();
});

test('bufferedAmount counts UTF-8, rises in send() and falls by credit alone', async () => {
	const { worker, session } = open();
	const remote = session.create('DataChannel', channel);
	const amounts: number[] = [];
	remote.onbuffered = (amount) => amounts.push(amount);
	remote.send('€€');
	assert.is(remote.bufferedAmount, 6);
	remote.send('');
	remote.send(new Uint8Array(10));
	assert.is(remote.bufferedAmount, 16);
	await eventually('messages', () => messages(worker.frames).length === 3);
	assert.is(remote.bufferedAmount, 16);
	worker.down(credit(1, 7));
	await eventually('credit', () => amounts.length === 1);
	assert.is(remote.bufferedAmount, 10);
	worker.down(credit(1, 10));
	await eventually('credit', () => amounts.length === 2);
	assert.equal(amounts, [10, 0]);
	await session.close();
});

test('beyond 256 KiB messages wait in the shim until the worker gives credit', async () => {
	const { worker, session } = open();
	const remote = session.create('DataChannel', channel);
	for (let n = 0; n < 10; n++) remote.send(new Uint8Array(50_000));
	const sent = () => messages(worker.frames).reduce((sum, { payload }) => sum + payload.byteLength, 0);
	await eventually('first', () => sent() > 0);
	await sleep(20);
	assert.ok(sent() > 240 * 1024 && sent() <= 256 * 1024, `${sent()} bytes`);
	assert.is(remote.bufferedAmount, 500_000);
	worker.down(credit(1, sent()));
	await eventually('the rest', () => sent() === 500_000);
	await session.close();
});

test('callAfterSent waits for the messages before it', async () => {
	const { worker, session } = open();
	const remote = session.create('DataChannel', channel);
	for (let n = 0; n < 6; n++) remote.send(new Uint8Array(50_000));
	void remote.callAfterSent('close', {});
	await eventually('messages', () => messages(worker.frames).length > 0);
	await sleep(20);
	assert.not.ok(worker.frames.some((frame) => typeof frame === 'string' && frame.includes('close')));
	worker.down(credit(1, 100_000));
	await eventually('close', () => String(worker.frames.at(-1)).includes('close'));
	await session.close();
});

test('one picture is under way, of those that wait the latest wins', async () => {
	const { worker, session } = open();
	const remote = session.create('FrameWriter', { source: named });
	const offered = [1, 2, 3].map((n) => remote.sendMedia({ ...picture, timestamp: n }, new Uint8Array(6).fill(n)));
	assert.equal(offered, [true, true, false]);
	const pictures = () => messages(worker.media).map(({ payload }) => payload.at(-1));
	await eventually('the first', () => worker.media.length === 1);
	assert.equal(pictures(), [1]);
	worker.down(credit(1, 1));
	await eventually('the last', () => worker.media.length === 2);
	assert.equal(pictures(), [1, 3]);
	await session.close();
});

test('media that is forgotten before it was sent gives its credit back', async () => {
	const { worker, session } = open();
	const remote = session.create('FrameWriter', { source: named });
	const sound: AudioHeader = { timestamp: 0, format: 'u8', sampleRate: 8_000, numberOfChannels: 1, numberOfFrames: 1 };
	const offered = Array.from({ length: 51 }, () => remote.sendMedia(sound, Uint8Array.of(1)));
	assert.equal([offered[49], offered[50]], [true, false]);
	remote.discardMedia();
	assert.is(remote.sendMedia(sound, Uint8Array.of(2)), true);
	await eventually('sound', () => worker.media.length > 0);
	await sleep(5);
	assert.equal(
		messages(worker.media).map(({ payload }) => payload.at(-1)),
		[2],
	);
	await session.close();
});

test('who waits for room for media has it when credit comes, and when the object is gone', async () => {
	const { worker, session } = open();
	const remote = session.create('FrameWriter', { source: named });
	const seen: string[] = [];
	await remote.mediaRoom();
	remote.sendMedia(picture, new Uint8Array(6));
	const first = remote.mediaRoom().then(() => seen.push('credit'));
	await eventually('the picture', () => worker.media.length === 1);
	assert.equal(seen, []);
	worker.down(credit(1, 1));
	await first;
	remote.sendMedia(picture, new Uint8Array(6));
	const second = remote.mediaRoom().then(() => seen.push('gone'));
	assert.equal(seen, ['credit']);
	remote.drop();
	await second;
	await session.close();
	await remote.mediaRoom();
});

test('after a resume media goes on: credits begin anew, and half a picture is forgotten', async () => {
	const { worker, relay, session } = open();
	const writer = session.create('FrameWriter', { source: named });
	const reader = session.create('FrameReader', { track: named });
	const got: number[] = [];
	reader.onmedia = (header, planes) => got.push(header.timestamp, planes.byteLength);
	reader.credit(2);
	let resumed = 0;
	reader.onresumed = () => resumed++;
	const header = new TextEncoder().encode(JSON.stringify({ ...picture, timestamp: 9 }));
	const whole = join(new Uint8Array([0, 0, 0, header.byteLength]), header, new Uint8Array(6));
	writer.sendMedia(picture, new Uint8Array(6));
	await eventually('picture', () => worker.media.length === 1);
	worker.down(record(2, 2, whole, 1));
	await sleep(5);
	relay.cut();
	writer.sendMedia(picture, new Uint8Array(6));
	await eventually('resume', () => relay.sockets.length === 2 && worker.media.length === 2);
	await eventually('credit', () => messages(worker.frames).at(-1)?.flags === 1);
	assert.equal([...messages(worker.frames).at(-1)!.payload], [0, 0, 0, 2]);
	assert.is(resumed, 1);
	worker.down(record(2, 2, whole.slice(0, 5), 2));
	worker.down(record(2, 2, whole.slice(0, 20), 1));
	worker.down(record(2, 2, whole.slice(20), 2));
	await eventually('frame', () => got.length > 0);
	assert.equal(got, [9, 6]);
	await session.close();
});

test('a lost session fails every object and every call, in order, and all that follows', async () => {
	const { worker, relay, session } = open();
	const log: string[] = [];
	const remote = session.create('DataChannel', channel);
	remote.onmessage = () => log.push('message');
	remote.onlost = (error) => log.push(`lost: ${error.message}`);
	session.onfailure = () => log.push('failure');
	session.root.call('ping', {}).catch((error: Error) => log.push(error.name));
	await eventually('frames', () => worker.frames.length === 2);
	worker.down(record(1, 1, new Uint8Array(1)));
	relay.close(4006, 'the worker died');
	await eventually('failure', () => log.at(-1) === 'failure');
	assert.equal(log, ['message', 'InvalidStateError', 'lost: the session was lost: the worker died (4006)', 'failure']);
	assert.match(session.failure!.message, 'the worker died');
	const late = session.create('DataChannel', channel);
	late.onlost = () => log.push('late');
	const error = await late.call('close', {}).catch((error: Error) => error);
	assert.is((error as Error).name, 'InvalidStateError');
	late.send('x');
	assert.is(late.bufferedAmount, 1);
	await eventually('late', () => log.at(-1) === 'late');
});

test('ready rejects when the bridge cannot be reached, and when connect() fails', async () => {
	const { relay, session } = open();
	const failing = new Session({ connect: () => Promise.reject(new Error('no Python')) });
	relay.unreachable = true;
	// A session alone keeps no process alive.
	const alive = setInterval(() => {}, 1000);
	const [unreachable, failed] = await Promise.allSettled([session.ready, failing.ready]);
	clearInterval(alive);
	assert.match((unreachable as PromiseRejectedResult).reason.message, 'no bridge could be reached at memory:');
	assert.is((failed as PromiseRejectedResult).reason.message, 'no Python');
});

test('the process is kept alive while a call is pending or somebody holds the session', async () => {
	const log: string[] = [];
	const { worker, session } = open({ keepAlive: { ref: () => log.push('ref'), unref: () => log.push('unref') } });
	const release = session.hold();
	const call = session.root.call('ping', {});
	release();
	release();
	assert.equal(log, ['ref']);
	await eventually('call', () => worker.frames.length === 1);
	worker.down('{"reply":1,"out":{}}');
	await call;
	assert.equal(log, ['ref', 'unref']);
	await session.close();
});

test('debug shows the frames of both directions, and no token', async () => {
	const lines: string[] = [];
	const { worker, session } = open({ debug: (line) => lines.push(line) });
	const remote = session.create('DataChannel', channel);
	remote.send('x');
	await eventually('frames', () => worker.frames.length === 2);
	worker.down(credit(1, 1));
	await eventually('credit', () => lines.some((line) => line.startsWith('← [credit')));
	assert.equal(lines.slice(0, 2), [
		'→ {"new":1,"type":"DataChannel","in":{"transport":1,"label":"chat"}}',
		'→ [message on 1, flags 1: 1 bytes]',
	]);
	assert.not.ok(lines.some((line) => line.includes('secret')));
	await session.close();
});

test('a frame that is neither reply nor event ends the session', async () => {
	for (const text of ['{', 'null', '{"what":1}']) {
		const { worker, session } = open();
		await session.ready;
		worker.down(text);
		await eventually('failure', () => session.failure !== null);
	}
});

test.run();
