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

test.run();
