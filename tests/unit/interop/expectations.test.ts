import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
	cellsOf,
	type Expectations,
	expectedOf,
	lackOf,
	news,
	readExpectations,
	record,
	unexplained,
} from '../../interop/driver/expectations.ts';
import { KINDS } from '../../interop/driver/kinds.ts';
import { withTable } from '../../interop/driver/table.ts';

const page = readFileSync(join(import.meta.dirname, '../../../docs/interop.md'), 'utf8');
const recorded = readExpectations();
const [cell] = cellsOf(KINDS[0]!);
const known = (expected: string): Expectations => ({
	reasons: { late: 'The peer is late.' },
	peers: { [cell!.kind.name]: { version: '1', cells: { [cell!.scenario.name]: { [cell!.role]: expected } } } },
});

test('docs/interop.md has the table of what is recorded', () => {
	assert.is(withTable(page, recorded), page);
	assert.is.not(withTable(page, known('late')), page);
});

test('every cell of every peer is recorded, and every failure has a sentence', () => {
	const cells = KINDS.flatMap(cellsOf);
	const blank = cells.filter((each) => lackOf(each) === null && expectedOf(recorded, each) === undefined);
	assert.equal(
		blank.map(({ kind, scenario, role }) => `${kind.name} ${scenario.name} ${role}`),
		[],
	);
	assert.equal(unexplained(recorded), []);
});

test('an unexpected failure is news, and so is an unexpected pass; what varies is neither', () => {
	const passed = cell!;
	const failed = { ...cell!, failure: 'no' };
	assert.is(news(known('ok'), passed), null);
	assert.is(news(known('ok'), failed), 'fails');
	assert.is(news(known('late'), failed), null);
	assert.match(news(known('late'), passed)!, /passes/);
	assert.is(news(known('~late'), passed), null);
	assert.is(news(known('~late'), failed), null);
	assert.match(news({ reasons: {}, peers: {} }, passed)!, /not recorded/);
});

test('recording keeps a reason that was found, and asks for one of a new failure', () => {
	const failed = { ...cell!, failure: 'no' };
	const version = new Map([[cell!.kind.name, '2']]);
	const after = (before: Expectations, result: typeof failed | typeof cell) => {
		const written = record(before, [result!], version);
		assert.is(written.peers[cell!.kind.name]!.version, '2');
		return expectedOf(written, cell!);
	};
	assert.is(after(known('late'), failed), 'late');
	assert.is(after(known('late'), cell), 'ok');
	assert.is(after(known('~late'), cell), '~late');
	assert.is(after(known('ok'), failed), '?');
});

test.run();
