/** Eight bots in one room of the demo, each with a worker of its own. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually } from './eventually.ts';
import type { Counts } from './rooms/messages.ts';
import { Party } from './rooms/Party.ts';

const BOTS = 8;
const SECONDS = 8;
const FRAMES_A_SECOND = 10;
const PATIENCE = 30_000;
/** By how much a worker's memory may grow while nothing changes: allocators keep some. */
const FLAT = 1.1;

let party: Party;

test.before(async () => {
	party = await Party.open(BOTS);
});

test.after(async () => {
	if (party) await party.end();
});

test('every one decodes every other; memory is flat; all that was made is gone when they leave', async () => {
	const nothing = await party.ask('count', () => ({}));
	await party.join();
	// The first look starts decoders, and fills what buffers there are.
	await party.ask('watch', () => ({ seconds: 2 }));
	const before = await counts('workers that read nothing', ({ objects }) => !objects.FrameReader);
	const seen = await party.ask('watch', () => ({ seconds: SECONDS }));
	const after = await counts('workers that read nothing again', ({ objects }) => !objects.FrameReader);
	for (const [index, others] of seen.entries()) {
		assert.is(others.length, BOTS - 1);
		for (const { number, frames, right, moving, width } of others) {
			const which = `bot ${index + 1} of bot ${number}: ${right} of ${frames} frames right, ${moving} moving`;
			assert.is(width, 160, which);
			assert.ok(frames >= (SECONDS * FRAMES_A_SECOND) / 4, which);
			assert.ok(right >= 0.9 * frames, which);
			assert.ok(moving >= 0.9 * right, which);
		}
	}
	for (const [index, { worker, objects }] of after.entries()) {
		const { worker: was, objects: had } = before[index]!;
		assert.ok(worker < was * FLAT, `worker ${index + 1}: ${mebibytes(was)} to ${mebibytes(worker)} in ${SECONDS} s`);
		assert.equal(objects, had);
	}
	await party.ask('leave', () => ({}));
	await counts('workers that have nothing', ({ objects }, index) => same(objects, nothing[index]!.objects));
	assert.equal(
		await party.end(),
		Array.from({ length: BOTS }, () => 0),
		'each ends by itself',
	);
});

/** What all have, once `settled` holds for each: what was dropped may still be on its way out. */
async function counts(what: string, settled: (counts: Counts, index: number) => boolean): Promise<Counts[]> {
	let last: Counts[] = [];
	const look = async () => {
		last = await party.ask('count', () => ({}));
		return last.every(settled) ? last : null;
	};
	return eventually(look, PATIENCE, what).catch((error: Error) => {
		throw new Error(`${error.message}; they have ${last.map(({ objects }) => JSON.stringify(objects)).join(', ')}`);
	});
}

function same(a: Record<string, number>, b: Record<string, number>): boolean {
	const kinds = new Set([...Object.keys(a), ...Object.keys(b)]);
	return [...kinds].every((kind) => (a[kind] ?? 0) === (b[kind] ?? 0));
}

function mebibytes(bytes: number): string {
	return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

test.run();
