/** The tables of docs/interop.md, from what is recorded. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Expectations, expectedOf, lackOf, reasonOf, rolesOf } from './expectations.ts';
import { KINDS, type Kind } from './kinds.ts';
import { ROOM_SCENARIOS, SCENARIOS, type Scenario } from './scenarios.ts';

const PAGE = join(import.meta.dirname, '..', '..', '..', 'docs', 'interop.md');
const TABLE = /(<!-- table -->\n).*(<!-- end of table -->\n)/s;

export function writeTable(expectations: Expectations): void {
	writeFileSync(PAGE, withTable(readFileSync(PAGE, 'utf8'), expectations));
}

/** The page with the table of these expectations. */
export function withTable(page: string, expectations: Expectations): string {
	return page.replace(TABLE, (_, start, end) => `${start}${table(expectations)}${end}`);
}

/** A table for each list of scenarios, and the notes of both. */
function table(expectations: Expectations): string {
	const notes: string[] = [];
	const tables = [SCENARIOS, ROOM_SCENARIOS].flatMap((scenarios) => [...rows(expectations, scenarios, notes), '']);
	return [...tables, ...notes.map((note, index) => `${index + 1}. ${note}`), ''].join('\n');
}

function rows(expectations: Expectations, scenarios: readonly Scenario[], notes: string[]): string[] {
	const kinds = KINDS.filter((kind) => kind.scenarios === scenarios && kind.name in expectations.peers);
	const head = ['', ...kinds.map(({ name, title }) => `${title} ${expectations.peers[name]!.version}`)];
	const body = scenarios.map((scenario) => [
		scenario.title,
		...kinds.map((kind) => marks(expectations, kind, scenario, notes)),
	]);
	return [head, head.map(() => '---'), ...body].map((cells) => `| ${cells.join(' | ')} |`);
}

/** One mark where it is the same whoever offers. */
function marks(expectations: Expectations, kind: Kind, scenario: Scenario, notes: string[]): string {
	const all = rolesOf(scenario).map((role) => {
		const cell = { kind, scenario, role };
		const lack = lackOf(cell);
		if (lack !== null) return `–${note(lack, notes)}`;
		const expected = expectedOf(expectations, cell);
		if (expected === undefined) return '?';
		const reason = reasonOf(expected);
		return reason === null ? '✓' : `✗${note(expectations.reasons[reason] ?? reason, notes)}`;
	});
	return [...new Set(all)].join(' ');
}

function note(sentence: string, notes: string[]): string {
	if (!notes.includes(sentence)) notes.push(sentence);
	return ` [${notes.indexOf(sentence) + 1}]`;
}
