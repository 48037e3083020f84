import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Dispatcher } from '../../../shim/link/Dispatcher.ts';

test('a loop that awaits one message at a time sees each of 100 that came together', async () => {
	let onmessage: ((n: number) => void) | null = null;
	const dispatcher = new Dispatcher(() => {});
	for (let n = 0; n < 100; n++) {
		dispatcher.push(() => {
			const take = onmessage;
			onmessage = null;
			take?.(n);
		});
	}
	const seen: number[] = [];
	while (seen.length < 100) {
		seen.push(
			await new Promise<number>((resolve, reject) => {
				onmessage = resolve;
				setTimeout(() => reject(new Error(`stuck after ${seen.length}`)), 1000).unref();
			}),
		);
	}
	assert.equal(seen, [...seen.keys()]);
});

test('a frame is taken when the last of it was run, not before', async () => {
	const log: string[] = [];
	const dispatcher = new Dispatcher((frames, bytes) => log.push(`took ${frames} of ${bytes}`));
	dispatcher.push(() => log.push('a'));
	dispatcher.push(() => log.push('b'));
	dispatcher.endFrame(10);
	dispatcher.endFrame(5);
	dispatcher.push(() => log.push('c'));
	dispatcher.endFrame(1);
	await new Promise((resolve) => setTimeout(resolve, 5));
	dispatcher.endFrame(2);
	assert.equal(log, ['a', 'b', 'took 2 of 15', 'c', 'took 1 of 1', 'took 1 of 2']);
});

test.run();
