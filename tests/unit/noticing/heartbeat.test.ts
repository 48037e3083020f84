import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FRAGMENT } from '../../../shim/link/frames.ts';
import { Heartbeat } from '../../../shim/link/Heartbeat.ts';
import { VirtualTime } from './VirtualTime.ts';

/** Runs `check` with a heartbeat of 5 s and 8 s; `answer` is what it does when it is asked. */
async function beat(check: (world: Beating) => Promise<void>): Promise<void> {
	const time = new VirtualTime();
	const world = new Beating(time);
	try {
		await check(world);
	} finally {
		world.heartbeat.stop();
		time.end();
	}
}

class Beating {
	/** When it asked, and when it gave up, in milliseconds. */
	readonly asked: number[] = [];
	readonly died: number[] = [];
	/** Called when it asks. */
	answer: () => void = () => {};
	readonly heartbeat: Heartbeat;
	readonly time: VirtualTime;

	constructor(time: VirtualTime) {
		this.time = time;
		this.heartbeat = new Heartbeat({
			interval: 5000,
			patience: 8000,
			ping: () => {
				this.asked.push(time.now);
				this.answer();
			},
			dead: () => this.died.push(time.now),
		});
	}
}

test('a path that proves nothing is asked after 5 s and given up after 13, once', () =>
	beat(async ({ time, asked, died }) => {
		await time.pass(60_000);
		assert.equal(asked, [5000]);
		assert.equal(died, [13_000]);
	}));

test('the last proof counts, whenever it came', () =>
	beat(async ({ time, asked, died, heartbeat }) => {
		await time.pass(4990);
		heartbeat.proved();
		await time.pass(60_000);
		assert.equal(asked, [9990]);
		assert.equal(died, [17_990]);
	}));

test('an idle path that answers is asked each 5 s', () =>
	beat(async (world) => {
		world.answer = () => void setTimeout(() => world.heartbeat.proved(), 100);
		await world.time.pass(16_000);
		assert.equal(world.asked, [5000, 10_100, 15_200]);
		assert.equal(world.died, []);
	}));

test('a path that dies right after an answer is given up 13 s later', () =>
	beat(async (world) => {
		world.answer = () => {
			world.answer = () => {};
			world.heartbeat.proved();
		};
		await world.time.pass(60_000);
		assert.equal(world.died, [18_000]);
	}));

test('a path that goes on proving itself is never asked', () =>
	beat(async ({ time, asked, heartbeat }) => {
		for (let second = 0; second < 60; second++) {
			await time.pass(1000);
			heartbeat.proved();
		}
		assert.equal(asked, []);
	}));

test('an answer that the loop has yet to read when the time is over counts', () =>
	beat(async (world) => {
		world.answer = () => {
			world.answer = () => {};
			// The timer of the verdict fires in the same instant, and first.
			setTimeout(() => setImmediate(() => setImmediate(() => world.heartbeat.proved())), 8000);
		};
		await world.time.pass(16_000);
		assert.equal(world.died, []);
	}));

test('while a fragment comes in the patience, the answer is waited for behind it', () =>
	beat(async ({ time, asked, died, heartbeat }) => {
		await time.pass(6000);
		for (let n = 0; n < 4; n++) {
			heartbeat.heard(FRAGMENT);
			await time.pass(8000);
		}
		assert.equal(died, []);
		// A trickle of events is no such thing.
		heartbeat.heard(FRAGMENT - 1);
		await time.pass(16_000);
		assert.equal(died, [45_000]);
		assert.equal(asked, [5000, 13_000, 21_000, 29_000, 37_000]);
	}));

test('who slept while it waited asks again, and takes the second silence for an answer', () =>
	beat(async ({ time, asked, died }) => {
		await time.pass(6000);
		time.sleep(600_000);
		await time.pass(7000);
		assert.equal(asked, [5000, 606_000]);
		assert.equal(died, []);
		time.sleep(600_000);
		await time.pass(10);
		assert.is(died.length, 1);
	}));

test('who slept and is answered on waking goes on', () =>
	beat(async (world) => {
		await world.time.pass(6000);
		world.time.sleep(600_000);
		world.answer = () => void setTimeout(() => world.heartbeat.proved(), 100);
		await world.time.pass(4000);
		assert.equal(world.asked, [5000, 606_000]);
		await world.time.pass(60_000);
		assert.equal(world.died, []);
	}));

test('in a hidden page, whose timers are throttled, a dead path is given up within 15 s', () =>
	beat(async (world) => {
		world.time.hidden = true;
		let isAlive = true;
		// As from a socket: no timer of the page started it.
		world.answer = () => setImmediate(() => isAlive && world.heartbeat.proved());
		await world.time.pass(600_000);
		// Data flows: nothing is asked, and timers start timers.
		for (let n = 0; n < 200; n++) {
			await world.time.pass(3000);
			world.heartbeat.proved();
		}
		assert.equal(world.died, []);
		isAlive = false;
		await world.time.pass(600_000);
		assert.is(world.died.length, 1);
		assert.ok(world.died[0]! <= 1_215_000, `${world.died[0]}`);
	}));

test('one that is stopped asks nobody and gives nothing up', () =>
	beat(async ({ time, asked, died, heartbeat }) => {
		heartbeat.stop();
		heartbeat.proved();
		await time.pass(60_000);
		assert.equal([asked, died], [[], []]);
	}));

test.run();
