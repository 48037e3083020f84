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

test('fragments of text become its string wherever they were cut, as bytes that are no UTF-8 become U+FFFD', () => {
	const text = 'a€💬é\u{FFFD}';
	const bytes = Buffer.concat([Buffer.from(text), Buffer.from([0xe2, 0x82])]);
	for (let first = 1; first < bytes.length; first += 1) {
		const assembly = new MessageAssembly();
		const take = (from: number, to: number, flags: number) =>
			assembly.take({ kind: RecordKind.message, object: 1, flags, payload: new Uint8Array(bytes.subarray(from, to)) });
		assert.is(take(0, first, MessageFlag.text | MessageFlag.more), null);
		assert.is(take(first, bytes.length, MessageFlag.text), `${text}\u{FFFD}`);
		assert.is(take(0, 1, MessageFlag.text), 'a');
	}
});

test('a message that its sender gives up leaves nothing in the next one', () => {
	for (const text of [0, MessageFlag.text]) {
		const assembly = new MessageAssembly();
		const take = (payload: string, flags: number) =>
			assembly.take({ kind: RecordKind.message, object: 1, flags, payload: new Uint8Array(Buffer.from(payload)) });
		assert.is(take('void', text | MessageFlag.more), null);
		assert.is(take('', MessageFlag.givenUp), null);
		assert.is(take('ne', text | MessageFlag.more), null);
		assert.is(Buffer.from(take('xt', text)!).toString(), 'next');
	}
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
