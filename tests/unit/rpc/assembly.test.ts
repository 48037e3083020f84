import { constants, PerformanceObserver } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MessageFlag, RecordKind, type WireRecord } from '../../../shim/link/frames.ts';
import { MessageAssembly } from '../../../shim/rpc/assembly.ts';

test('a message keeps nothing of the memory of its frames, of none of its fragments', () => {
	const assembly = new MessageAssembly();
	const memory = new Uint8Array(4);
	const take = (byte: number, flags: number) => {
		const record: WireRecord = { kind: RecordKind.message, object: 1, flags, payload: memory.fill(byte) };
		return assembly.take(record) as Uint8Array | null;
	};
	assert.is(take(1, MessageFlag.more), null);
	assert.is(take(2, MessageFlag.more), null);
	const fragmented = take(3, 0)!;
	const whole = take(4, 0)!;
	memory.fill(5);
	assert.equal([...fragmented, ...whole], [1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4]);
});

test('messages of 16 KiB bring on no full collection of garbage', async () => {
	let full = 0;
	const observer = new PerformanceObserver((list) => {
		for (const entry of list.getEntries() as (PerformanceEntry & { detail: { kind: number } })[]) {
			if (entry.detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) full += 1;
		}
	});
	observer.observe({ entryTypes: ['gc'] });
	const assembly = new MessageAssembly();
	const payload = new Uint8Array(16 * 1024);
	const kept: unknown[] = [];
	for (let i = 0; i < 40_000; i++) {
		kept[i % 8] = assembly.take({ kind: RecordKind.message, object: 1, flags: 0, payload });
		if (i % 50 === 0) await setImmediate();
	}
	await setImmediate();
	observer.disconnect();
	assert.ok(full <= 3, `${full} for 640 MB`);
});

test.run();
