import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Frame, frameSize, WINDOW } from '../../../shim/link/frames.ts';
import { Link } from '../../../shim/link/Link.ts';
import { type Endpoint, LinkError } from '../../../shim/link/options.ts';
import { Scheduler } from '../../../shim/link/Scheduler.ts';
import { Stream } from '../../../shim/link/Stream.ts';
import { eventually, sleep } from './eventually.ts';
import { FakeWorker } from './fakeWorker.ts';
import { Relay } from './relay.ts';

class End {
	readonly worker = new FakeWorker();
	readonly relay: Relay;
	readonly scheduler = new Scheduler();
	readonly frames: Frame[] = [];
	/** Frames that were not said to be taken. */
	readonly held: number[] = [];
	holds = false;
	failure: Error | null = null;
	readonly link: Link;

	constructor(welcome: ConstructorParameters<typeof Relay>[1] = {}, endpoint: Partial<Endpoint> = {}) {
		this.relay = new Relay(this.worker, welcome);
		this.link = new Link(
			{
				connect: () => ({ url: 'memory:', token: 'secret', ...endpoint }),
				openSocket: this.relay.open,
				client: 'test',
				patienceSeconds: 0.2,
				onwelcome: () => {},
				onfailure: (error) => {
					this.failure = error;
				},
				onframe: (frame, size) => {
					this.frames.push(frame);
					if (size > 0 && this.holds) this.held.push(size);
					else if (size > 0) this.link.took(1, size);
				},
			},
			this.scheduler,
		);
	}

	text(text: string): void {
		this.scheduler.control(text);
		this.link.wake();
	}
}

test('what was queued before the socket opened is sent in order', async () => {
	const end = new End();
	end.text('{"drop":1}');
	end.text('{"drop":2}');
	await eventually('frames', () => end.worker.frames.length === 2);
	assert.equal(end.worker.frames, ['{"drop":1}', '{"drop":2}']);
	assert.equal(end.relay.hellos, [{ version: 1, token: 'secret', client: 'test' }]);
	await end.link.close();
});

test('a full window stalls without dropping, and an acknowledgement releases it', async () => {
	const end = new End();
	end.worker.acknowledges = false;
	const text = `{"drop":${'1'.repeat(9_991)}}`;
	for (let n = 0; n < 200; n++) end.text(text);
	const sent = () => end.worker.frames.reduce((sum, frame) => sum + frameSize(frame), 0);
	await eventually('a full window', () => sent() > WINDOW - text.length);
	await sleep(30);
	assert.ok(sent() <= WINDOW, `${sent()} bytes`);
	end.worker.acknowledges = true;
	end.worker.acknowledge();
	await eventually('the rest', () => end.worker.frames.length === 200);
	await end.link.close();
});

test('a frame larger than the window goes when nothing is under way', async () => {
	const end = new End({ window: 1000 });
	end.text('{"drop":1}');
	end.text(`{"drop":${'1'.repeat(5000)}}`);
	await eventually('both', () => end.worker.frames.length === 2);
	await end.link.close();
});

test('frames are acknowledged once they were taken, not when they came', async () => {
	const end = new End();
	end.holds = true;
	await eventually('socket', () => end.relay.sockets.length === 1);
	for (let n = 0; n < 3; n++) end.worker.down('{"event":"x"}');
	await sleep(60);
	assert.is(end.worker.acked, 0);
	end.link.took(3, 30);
	await eventually('ack', () => end.worker.acked === 3);
	await end.link.close();
});

test('64 KiB are acknowledged at once, without the delay that gathers acknowledgements', async () => {
	const end = new End();
	await eventually('socket', () => end.relay.sockets.length === 1);
	await sleep(5);
	end.worker.down(`{"event":"${'x'.repeat(70_000)}"}`);
	for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
	assert.is(end.worker.acked, 1);
	await end.link.close();
});

test('a resumed link tells what came, and sends again what the bridge has not had', async () => {
	const end = new End();
	await eventually('socket', () => end.relay.sockets.length === 1);
	end.worker.down('{"event":"x"}');
	await eventually('event', () => end.frames.length === 1);
	end.text('{"drop":1}');
	await Promise.resolve();
	end.relay.cut();
	end.text('{"drop":2}');
	await eventually('both', () => end.worker.frames.length === 2);
	assert.equal(end.worker.frames, ['{"drop":1}', '{"drop":2}']);
	assert.equal(end.relay.hellos[1]!.resume, { session: 's', key: 'k', received: 1 });
	await end.link.close();
});

test('whatever is cut, each side has each counted frame exactly once and in order', async () => {
	const step = fc.record({
		up: fc.integer({ min: 0, max: 5 }),
		down: fc.integer({ min: 0, max: 5 }),
		size: fc.constantFrom(0, 10, 70_000),
		cut: fc.boolean(),
		turns: fc.integer({ min: 0, max: 4 }),
	});
	await fc.assert(
		fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
			const end = new End();
			let [up, down] = [0, 0];
			const padding = (size: number) => 'x'.repeat(size);
			for (const { up: ups, down: downs, size, cut, turns } of steps) {
				for (let n = 0; n < ups; n++) end.text(`{"drop":${++up},"p":"${padding(size)}"}`);
				for (let n = 0; n < downs; n++) end.worker.down(`{"event":${++down},"p":"${padding(size)}"}`);
				for (let n = 0; n < turns; n++) await new Promise((resolve) => setImmediate(resolve));
				if (cut) end.relay.cut();
			}
			await eventually('all frames', () => end.worker.frames.length >= up && end.frames.length >= down);
			const number = (frame: Frame) => Number.parseInt(/\d+/.exec(frame as string)![0], 10);
			assert.equal(
				end.worker.frames.map(number),
				[...Array(up).keys()].map((n) => n + 1),
			);
			assert.equal(
				end.frames.map(number),
				[...Array(down).keys()].map((n) => n + 1),
			);
			assert.is(end.failure, null);
			await end.link.close();
		}),
		{ numRuns: 60 },
	);
});

test('media that waited during an outage is forgotten, not sent late', async () => {
	const end = new End();
	await eventually('socket', () => end.relay.sockets.length === 1);
	end.relay.unreachable = true;
	end.relay.cut();
	await sleep(5);
	end.scheduler.media(new Stream(1, 'video'), new Uint8Array(2), new Uint8Array(100));
	end.link.wake();
	end.relay.unreachable = false;
	await eventually('resume', () => end.relay.sockets.length === 2);
	await sleep(10);
	assert.equal(end.worker.media, []);
	await end.link.close();
});

for (const [code, reason, message] of [
	[4001, '', 'the token is wrong or missing (4001)'],
	[4005, '', 'another socket took the session up (4005)'],
	[4006, 'killed by SIGKILL', 'killed by SIGKILL (4006)'],
] as const) {
	test(`a socket closed with ${code} ends the session for good`, async () => {
		const end = new End();
		await eventually('socket', () => end.relay.sockets.length === 1);
		end.relay.close(code, reason);
		await eventually('failure', () => end.failure !== null);
		assert.instance(end.failure, LinkError);
		assert.is(end.failure!.message, message);
		await sleep(20);
		assert.is(end.relay.sockets.length, 1);
	});
}

test('a bridge that cannot be reached is a failure that names it', async () => {
	const end = new End();
	end.relay.unreachable = true;
	await eventually('failure', () => end.failure !== null);
	assert.match(end.failure!.message, 'no bridge could be reached at memory:');
});

test('an outage past the grace time is a failure', async () => {
	const end = new End({ graceSeconds: 0.1 });
	await eventually('socket', () => end.relay.sockets.length === 1);
	end.relay.unreachable = true;
	end.relay.cut();
	await eventually('failure', () => end.failure !== null);
});

test('a frame that is not of the protocol closes the socket with 4000', async () => {
	const end = new End();
	await eventually('socket', () => end.relay.sockets.length === 1);
	end.worker.down('{"ack":99}');
	await eventually('failure', () => end.failure !== null);
	assert.is((end.failure as LinkError).code, 4000);
});

test('the bridge says whether it is shared', async () => {
	for (const shared of [true, false]) {
		const end = new End({ shared });
		await eventually('welcome', () => end.relay.sockets.length === 1);
		await sleep(5);
		assert.is(end.scheduler.shared, shared);
		await end.link.close();
	}
});

test('a first answer is waited for as long as the endpoint says that it may take', async () => {
	for (const answerSeconds of [undefined, 10, 1]) {
		const end = new End({}, { answerSeconds });
		end.relay.thinks = 1300;
		const settled = () => end.failure !== null || end.relay.sockets.length > 0;
		await eventually('failure or socket', settled, 3000);
		assert.is(end.failure === null, answerSeconds !== 1);
		await end.link.close();
	}
});

test('a bridge that answers no ping is given up, and the session resumed', async () => {
	const end = new End({ heartbeatSeconds: 0.05 });
	await eventually('socket', () => end.relay.sockets.length === 1);
	await sleep(150);
	assert.is(end.relay.sockets.length, 1);
	end.relay.answersPings = false;
	await eventually('a second socket', () => end.relay.sockets.length === 2);
	assert.is(end.failure, null);
	await end.link.close();
});

test('a blocked event loop is not a dead bridge', async () => {
	const end = new End({ heartbeatSeconds: 0.05 });
	await eventually('socket', () => end.relay.sockets.length === 1);
	for (let n = 0; n < 5; n++) {
		await sleep(20);
		// Longer than interval and patience together.
		for (const until = Date.now() + 150; Date.now() < until; );
	}
	await sleep(20);
	assert.is(end.relay.sockets.length, 1);
	await end.link.close();
});

test.run();
