/** What is known of each cell: expectations.json has "ok" or the reason, a key of `reasons`, why it fails. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Role } from './Call.ts';
import { KINDS, type Kind } from './kinds.ts';
import type { Need, Scenario } from './scenarios.ts';

const FILE = join(import.meta.dirname, '..', 'expectations.json');

export const OK = 'ok';
/** What a failure has instead of a reason until somebody finds it. */
const NO_REASON = '?';
/** Before a reason: it fails in some runs only, and neither outcome is news. */
const VARIES = '~';

/** By scenario, what is known as the shim and as the peer offers. */
export type Cells = Record<string, Partial<Record<Role, string>>>;

export interface Expectations {
	/** Sentences that name whose fault it is. */
	readonly reasons: Record<string, string>;
	readonly peers: Record<string, { version: string; cells: Cells }>;
}

/** A scenario with a peer in a role. */
export interface Cell {
	readonly kind: Kind;
	readonly scenario: Scenario;
	readonly role: Role;
}

export interface Result extends Cell {
	/** Why it failed, if it did. */
	readonly failure?: string;
}

export function cellsOf(kind: Kind): Cell[] {
	return kind.scenarios.flatMap((scenario) => rolesOf(scenario).map((role) => ({ kind, scenario, role })));
}

export function rolesOf({ roles = ['shim', 'peer'] }: Scenario): readonly Role[] {
	return roles;
}

/** Why the peer cannot do it, or null when it can. */
export function lackOf({ kind, scenario, role }: Cell): string | null {
	const needs: readonly Need[] = [
		role === 'shim' ? 'answer' : 'offer',
		...scenario.needs,
		...(scenario.needsAs?.[role] ?? []),
	];
	const missing = needs.find((need) => need in kind.lacks);
	return missing === undefined ? null : kind.lacks[missing]!;
}

export function readExpectations(): Expectations {
	return JSON.parse(readFileSync(FILE, 'utf8'));
}

export function writeExpectations(expectations: Expectations): void {
	writeFileSync(FILE, `${JSON.stringify(expectations, null, '\t')}\n`);
}

export function expectedOf({ peers }: Expectations, { kind, scenario, role }: Cell): string | undefined {
	return peers[kind.name]?.cells[scenario.name]?.[role];
}

/** The reason's key, or null of a cell that is well. */
export function reasonOf(expected: string | undefined): string | null {
	return expected === undefined || expected === OK ? null : expected.replace(VARIES, '');
}

/** What is not as recorded, in a few words; null when all is. */
export function news(expectations: Expectations, result: Result): string | null {
	const expected = expectedOf(expectations, result);
	if (expected?.startsWith(VARIES)) return null;
	if (result.failure !== undefined) return reasonOf(expected) === null ? 'fails' : null;
	if (expected === undefined) return 'is not recorded: npm run interop -- --write';
	return expected === OK ? null : 'passes, and a failure is recorded';
}

/** The results in the place of what was recorded; a failure that was known keeps its reason. */
export function record(
	before: Expectations,
	results: readonly Result[],
	versions: ReadonlyMap<string, string>,
): Expectations {
	const peers: Expectations['peers'] = {};
	for (const kind of KINDS) {
		const cells: Cells = {};
		for (const cell of cellsOf(kind)) {
			const result = results.find((each) => isSame(each, cell));
			const known = expectedOf(before, cell);
			const now = result ? recorded(result, known) : known;
			if (now === undefined || lackOf(cell) !== null) continue;
			cells[cell.scenario.name] = { ...cells[cell.scenario.name], [cell.role]: now };
		}
		const version = versions.get(kind.name) || before.peers[kind.name]?.version;
		if (version) peers[kind.name] = { version, cells };
	}
	return { reasons: before.reasons, peers };
}

function recorded({ failure }: Result, known: string | undefined): string {
	if (known?.startsWith(VARIES)) return known;
	if (failure === undefined) return OK;
	return reasonOf(known) === null ? NO_REASON : known!;
}

function isSame(a: Cell, b: Cell): boolean {
	return a.kind === b.kind && a.scenario === b.scenario && a.role === b.role;
}

/** Failures whose reason is none of the sentences, and sentences that are the reason of none. */
export function unexplained({ reasons, peers }: Expectations): string[] {
	const used = new Set<string>();
	const faults: string[] = [];
	for (const [name, { cells }] of Object.entries(peers)) {
		for (const [scenario, roles] of Object.entries(cells)) {
			for (const [role, expected] of Object.entries(roles)) {
				const reason = reasonOf(expected);
				if (reason === null) continue;
				used.add(reason);
				if (!(reason in reasons)) faults.push(`${name} ${scenario} ${role}: ${reason}`);
			}
		}
	}
	return [...faults, ...Object.keys(reasons).filter((reason) => !used.has(reason))];
}
