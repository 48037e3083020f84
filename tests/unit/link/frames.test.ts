import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
	FRAGMENT,
	frameSize,
	isCounted,
	ProtocolError,
	parseAck,
	parseRecords,
	RECORD_HEADER,
	writeRecordHeader,
} from '../../../shim/link/frames.ts';

function record(kind: number, flags: number, object: number, length: number, actual = length): Uint8Array<ArrayBuffer> {
	const frame = new Uint8Array(RECORD_HEADER + actual).fill(object);
	writeRecordHeader(new DataView(frame.buffer), 0, kind, flags, object, length);
	return frame;
}

const protocolError = (error: unknown) => error instanceof ProtocolError;

test('the size of a text frame is that of its UTF-8', () => {
	const text = fc.string({ unit: fc.oneof(fc.constantFrom('a', 'é', '€', '😀', '\ud800', '\udc00'), fc.string()) });
	fc.assert(fc.property(text, (text) => frameSize(text) === new TextEncoder().encode(text).byteLength));
});

test('acknowledgements, pings and media are not counted', () => {
	const uncounted = ['{"ack":1}', '{"ping":1}', '{"pong":1}', record(2, 0, 1, 3)];
	const counted = ['{"call":1}', '{"drop":1}', record(1, 0, 1, 3), record(3, 0, 1, 4)];
	assert.equal(uncounted.map(isCounted), [false, false, false, false]);
	assert.equal(counted.map(isCounted), [true, true, true, true]);
});

test('records come out as they went in, as views of the frame', () => {
	const frame = new Uint8Array([...record(1, 1, 7, 3), ...record(1, 2, 8, 0), ...record(3, 0, 9, 4)]);
	const records = parseRecords(frame);
	assert.equal(
		records.map(({ kind, flags, object, payload }) => [kind, flags, object, [...payload]]),
		[
			[1, 1, 7, [7, 7, 7]],
			[1, 2, 8, []],
			[3, 0, 9, [9, 9, 9, 9]],
		],
	);
	assert.is(records[0]!.payload.buffer, frame.buffer);
});

test('a frame that is not of the protocol is refused', () => {
	const bad = [new Uint8Array(), new Uint8Array(11), record(0, 0, 1, 0), record(4, 0, 1, 0), record(1, 0, 1, 5, 4)];
	for (const frame of [...bad, record(1, 0, 1, FRAGMENT + 1)]) assert.throws(() => parseRecords(frame), protocolError);
	for (const text of ['{"ack":}', '{"ack":-1}', '{"ack":1.5}', '{"ack":1', '{"ack":"1"}', '{"ack":1e400}']) {
		assert.throws(() => parseAck(text), protocolError, text);
	}
});

test.run();
