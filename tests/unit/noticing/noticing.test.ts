/** Half-open paths, in virtual time: how soon each end notices, and that no session is lost while the path comes back. */

import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Direction, Witness } from './Path.ts';
import { VirtualTime } from './VirtualTime.ts';
import { TOKEN, World } from './World.ts';

/** Within which a dead path is noticed: 15 s, and what a packet takes. */
const NOTICED = 15_100;

/** Something that a path suffers: its connection dies, its directions carry nothing for a while, or both. */
interface Fault {
	readonly witness: Witness | null;
	readonly directions: readonly Direction[];
	/** Milliseconds until the directions carry again. */
	readonly outage: number;
	/** Milliseconds of rest after it. */
	readonly rest: number;
}

/** Runs worlds in virtual time, from when their sessions have begun. */
async function play(worlds: World[], run: (time: VirtualTime) => Promise<void>, time: VirtualTime): Promise<void> {
	try {
		await time.pass(1000);
		await run(time);
	} finally {
		for (const world of worlds) await world.close();
		time.end();
	}
}

async function inOneWorld(run: (world: World, time: VirtualTime) => Promise<void>): Promise<void> {
	const time = new VirtualTime();
	const world = new World();
	await play([world], () => run(world, time), time);
}

/** Lets time pass while both ends send, each a frame every so many milliseconds; 0 for none. */
async function talk(world: World, time: VirtualTime, ms: number, up: number, down: number): Promise<void> {
	for (let passed = 0; passed < ms; passed += 100) {
		if (up && passed % up === 0) world.sendUp();
		if (down && passed % down === 0) world.sendDown();
		await time.pass(100);
	}
}

const WITNESSES = { bridge: 'the bridge alone', shim: 'the shim alone', nobody: 'nobody' };
const PACES = { idle: [0, 0], up: [200, 0], down: [0, 200], both: [200, 300] } as const;

for (const [pace, [up, down]] of Object.entries(PACES)) {
	for (const witness of ['bridge', 'shim', 'nobody'] as const) {
		test(`a connection whose end reaches ${WITNESSES[witness]} is noticed by both ends within 15 s (traffic: ${pace})`, () =>
			inOneWorld(async (world, time) => {
				await talk(world, time, 20_000, up, down);
				const diedAt = time.now;
				world.path.connections[0]!.die(witness);
				await talk(world, time, 20_000, up, down);
				assert.is(world.opened.length, 2);
				assert.ok(world.opened[1]! - diedAt <= NOTICED, `the shim after ${world.opened[1]! - diedAt} ms`);
				assert.ok(world.closed[0]! - diedAt <= NOTICED, `the bridge after ${world.closed[0]! - diedAt} ms`);
				assert.ok(world.isWhole, 'each frame arrived once');
			}));
	}

	for (const direction of ['up', 'down'] as const) {
		test(`a path that goes on ${direction === 'up' ? 'down' : 'up'} alone is noticed by the shim within 15 s (traffic: ${pace})`, () =>
			inOneWorld(async (world, time) => {
				await talk(world, time, 20_000, up, down);
				const diedAt = time.now;
				// Nor does the bridge's own end help.
				world.path.connections[0]!.hidesEnds = true;
				world.path.break([direction]);
				await talk(world, time, 20_000, up, down);
				assert.ok(world.opened.length > 1, 'noticed');
				assert.ok(world.opened[1]! - diedAt <= NOTICED, `after ${world.opened[1]! - diedAt} ms`);
				world.path.heal();
				await talk(world, time, 10_000, up, down);
				assert.is(world.failure, null);
				assert.ok(world.isWhole, 'each frame arrived once');
			}));
	}
}

test('there is no ping while what the shim sends is acknowledged, and one each 5 s when nothing is', () =>
	inOneWorld(async (world, time) => {
		await talk(world, time, 60_000, 2000, 0);
		assert.is(world.pings, 0);
		await time.pass(60_000);
		assert.ok(world.pings >= 10 && world.pings <= 12, `${world.pings} pings`);
		assert.is(world.opened.length, 1);
	}));

test('a bridge whose shim is gone notices within 15 s, and ends the session 30 s later', () =>
	inOneWorld(async (world, time) => {
		const diedAt = time.now;
		world.path.break(['up', 'down']);
		await time.pass(NOTICED);
		assert.is(world.closed.length, 1);
		await time.pass(diedAt + 40_000 - time.now);
		assert.is(world.sessions, 1);
		await time.pass(6000);
		assert.is(world.sessions, 0);
	}));

test('a bridge asks nobody who speaks by himself', () =>
	inOneWorld(async (world, time) => {
		await time.pass(60_000);
		await talk(world, time, 60_000, 1000, 1000);
		assert.is(world.path.connections[0]!.pings, 0);
	}));

test('a frozen page keeps its session for as long as its browser answers', () =>
	inOneWorld(async (world, time) => {
		const page = world.path.open();
		page.onopen = () => page.send(JSON.stringify({ hello: { version: 1, token: TOKEN } }));
		await time.pass(600_000);
		assert.is(world.sessions, 2);
		world.path.connections[1]!.die('nobody');
		await time.pass(46_000);
		assert.is(world.sessions, 1);
	}));

test('an idle session is left alone for an hour', () =>
	inOneWorld(async (world, time) => {
		await time.pass(3_600_000);
		assert.equal([world.opened.length, world.sessions, world.failure], [1, 1, null]);
	}));

test('a clock that is put forward or back during a cut costs no session', async () => {
	const { now } = Date;
	for (const hours of [1, -1]) {
		await inOneWorld(async (world, time) => {
			world.path.break(['up', 'down']);
			world.path.connections[0]!.die('shim');
			await time.pass(1000);
			Date.now = () => now() + hours * 3_600_000;
			await time.pass(20_000);
			world.path.heal();
			await talk(world, time, 10_000, 200, 200);
			assert.equal([world.failure, world.isWhole], [null, true]);
		}).finally(() => {
			Date.now = now;
		});
	}
});

test('the shim of a process that slept for longer than the grace time is told that the session is lost', () =>
	inOneWorld(async (world, time) => {
		world.path.connections[0]!.die('bridge');
		await time.pass(500);
		// The bridge, which is in the same test, does not sleep: its timers are due when the shim wakes.
		time.sleep(60_000);
		await time.pass(20_000);
		assert.match(world.failure?.message ?? '', 'no such session');
	}));

test('a process that slept goes on over its connection when that still answers', () =>
	inOneWorld(async (world, time) => {
		for (const slept of [8000, 20_000, 600_000]) {
			time.sleep(slept);
			await talk(world, time, 20_000, 1000, 1000);
		}
		assert.equal([world.opened.length, world.failure, world.isWhole], [1, null, true]);
	}));

const fault = fc.record<Fault>({
	witness: fc.constantFrom<Witness | null>(null, 'shim', 'bridge', 'nobody'),
	directions: fc.subarray<Direction>(['up', 'down']),
	outage: fc.integer({ min: 0, max: 200 }).map((tenths) => tenths * 100),
	rest: fc.integer({ min: 200, max: 400 }).map((tenths) => tenths * 100),
});

/** The path suffers `fault`; whether it was noticed in time. */
async function suffer(world: World, time: VirtualTime, fault: Fault, up: number, down: number): Promise<void> {
	const { witness, directions, outage, rest } = fault;
	const sockets = world.opened.length;
	const diedAt = time.now;
	world.path.break(directions);
	if (witness !== null) world.path.connections.at(-1)!.die(witness);
	await talk(world, time, outage, up, down);
	world.path.heal();
	await talk(world, time, rest, up, down);
	const isDead = witness !== null || (directions.length > 0 && outage > NOTICED);
	if (isDead) assert.ok((world.opened[sockets] ?? Infinity) - diedAt <= NOTICED, `${world.opened[sockets]} ${diedAt}`);
}

test('whatever a path suffers, each end notices within 15 s, and a session whose path works again within its grace is not lost', async () => {
	const pace = fc.constantFrom(0, 200, 1000, 7000);
	await fc.assert(
		fc.asyncProperty(fc.array(fault, { minLength: 1, maxLength: 4 }), pace, pace, async (faults, up, down) => {
			await inOneWorld(async (world, time) => {
				for (const each of faults) await suffer(world, time, each, up, down);
				await time.pass(10_000);
				assert.is(world.failure, null);
				assert.is(world.sessions, 1);
				assert.ok(world.isWhole, 'each frame arrived once');
			});
		}),
		{ numRuns: 60 },
	);
});

test('of 1,000 sessions whose paths die half-open, each in its way, none is lost', async () => {
	const faults = fc.sample(fault, { numRuns: 1000, seed: 12 });
	const time = new VirtualTime();
	const worlds = faults.map(() => new World());
	await play(
		worlds,
		async () => {
			await Promise.all(
				worlds.map(async (world, n) => {
					world.path.break(faults[n]!.directions);
					world.path.connections[0]!.die(faults[n]!.witness ?? 'bridge');
					world.sendUp();
					world.sendDown();
					setTimeout(() => world.path.heal(), faults[n]!.outage);
				}),
			);
			await time.pass(45_000);
			const lost = worlds.filter(({ failure, isWhole }) => failure !== null || !isWhole);
			assert.is(lost.length, 0, `${lost.map(({ failure }) => failure?.message)}`);
			const late = worlds.filter(({ opened }) => opened[1]! - 1000 > NOTICED);
			assert.is(late.length, 0);
		},
		time,
	);
});

test.run();
