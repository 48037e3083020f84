/** What a worker's stderr is read as, and what a person reads of it. */
import { PassThrough } from 'node:stream';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { textLine } from '../../../../bridge/log/openLog.ts';
import { readLines } from '../../../../bridge/log/readLines.ts';
import { workerRecord } from '../../../../bridge/log/workerRecord.ts';

test('a line of JSON is a record', () => {
	const line = { level: 'warn', kind: 'bad-packets', message: 'dropped', session: '0123abcd', srtp: 3 };
	assert.equal(workerRecord(JSON.stringify(line)), {
		level: 'warn',
		source: 'worker',
		kind: 'bad-packets',
		message: 'dropped',
		fields: { session: '0123abcd', srtp: 3 },
	});
});

test('what is no record is an error of the worker, with its text', () => {
	const good = { level: 'warn', kind: 'a-kind', message: 'm' };
	const others = [{ level: 'loud' }, { kind: 'A kind' }, { kind: 7 }, { message: 7 }].map((wrong) =>
		JSON.stringify({ ...good, ...wrong }),
	);
	for (const line of ['Segmentation fault', '', '{', '[]', '{}', 'null', '{"level":"warn"}', ...others]) {
		assert.equal(workerRecord(line), { level: 'error', source: 'worker', kind: 'worker-output', message: line });
	}
});

test('a worker names no field that the record has of itself, and few and flat ones', () => {
	const names = Array.from({ length: 50 }, (_, index) => [`n${index}`, index]);
	const line = { level: 'warn', kind: 'a', message: 'm', source: 'shim', time: 1, deep: {}, __proto__x: 1, ok: 'x' };
	assert.equal(workerRecord(JSON.stringify(line)).fields, { ok: 'x' });
	const many = workerRecord(JSON.stringify({ ...line, ...Object.fromEntries(names) }));
	assert.is(Object.keys(many.fields!).length, 12);
	assert.is(many.source, 'worker');
});

/** The lines that a stream is read as. */
async function linesOf(...chunks: Buffer[]): Promise<string[]> {
	const stream = new PassThrough();
	const lines: string[] = [];
	readLines(stream, (line) => lines.push(line));
	for (const chunk of chunks) stream.write(chunk);
	stream.end();
	await new Promise((resolve) => stream.once('end', resolve));
	return lines;
}

test('lines are the same however their bytes come', async () => {
	const bytes = Buffer.from('one\ntwö €\r\n\nlast');
	const lines = ['one', 'twö €', '', 'last'];
	assert.equal(await linesOf(bytes), lines);
	assert.equal(await linesOf(...Array.from(bytes, (byte) => Buffer.from([byte]))), lines);
});

test('of a line without an end its beginning is kept, and the next one is whole', async () => {
	const mebibyte = Buffer.alloc(1 << 20, 'x');
	const [long, next] = await linesOf(...Array.from({ length: 8 }, () => mebibyte), Buffer.from('\nnext\n'));
	assert.is(long!.length, 16 * 1024);
	assert.is(next, 'next');
	const [, whole] = await linesOf(Buffer.from(`first\n${mebibyte}\n`));
	assert.is(whole!.length, 16 * 1024);
});

test('a person reads a time, a level, a sentence and what it is about', () => {
	const now = new Date('2026-11-28T15:31:04.250Z');
	const record = { level: 'warn', source: 'worker', kind: 'a', message: 'It failed' } as const;
	assert.is(textLine(record, now), '2026-11-28T15:31:04Z warn  It failed\n');
	assert.is(
		textLine({ ...record, fields: { session: '0123abcd', worker: 7 } }, now),
		'2026-11-28T15:31:04Z warn  It failed (session 0123abcd, worker 7)\n',
	);
	const traceback = 'Traceback\n2026-11-28T15:31:04Z error forged';
	assert.is(
		textLine({ ...record, fields: { traceback, worker: 7 } }, now),
		'2026-11-28T15:31:04Z warn  It failed (worker 7)\n    Traceback\n    2026-11-28T15:31:04Z error forged\n',
	);
});

test.run();
