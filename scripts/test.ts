/**
 * Runs the tests: every TypeScript file in a process of its own with a deadline, then pytest.
 *
 *     npm test                      all of them
 *     npm test -- unit worker       the suites named: unit, worker, integration, interop, wpt, e2e, runtimes
 *     npm test -- integration/pc    the files whose path has that in it
 *     npm test -- --sessions 3 integration e2e
 *                                   those of these in which shims have connections, each shim with three sessions
 *
 * All of them includes, once more and with three sessions, those that say most of connections.
 * Ends with one line `N passed, N failed`. A file that a deadline ended, that printed no totals or that left a process
 * behind counts as one failure.
 */
import { spawn } from 'node:child_process';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureCompiled } from '../bridge/compile.ts';
import { ensurePython } from '../bridge/python.ts';
import { ensureTools } from '../tests/runtimes/tools.ts';
import { ensureTests } from './get-wpt.ts';
import { ensureMediasoupWorker } from './mediasoup-worker.ts';
import { ensureChromium } from './system-packages.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const DEADLINE_MS = {
	unit: 60_000,
	integration: 300_000,
	interop: 900_000,
	wpt: 900_000,
	e2e: 600_000,
	runtimes: 600_000,
};
type Suite = keyof typeof DEADLINE_MS;
const PYTEST_MS = 900_000;
/** Tests of the association and of what runs over it. */
const OF_COMPILED = [
	'tests/sctp',
	'tests/test_sctp_association.py',
	'tests/test_data_channel.py',
	'tests/test_large_messages.py',
];

/** What a suite cannot do without, each fetched or built on first use. */
const NEEDED: { [S in Suite]?: readonly ((log: (line: string) => void) => Promise<unknown>)[] } = {
	// Loaded when it is wanted: it brings the drivers of all peers along.
	interop: [async (log) => (await import('../tests/interop/driver/kinds.ts')).ensurePeers(log)],
	wpt: [ensureChromium, ensureTests],
	e2e: [ensureChromium, ensureMediasoupWorker],
	runtimes: [ensureChromium, ensureMediasoupWorker, ensureTools],
};

/**
 * Files that are not for several sessions: what they test is below a shim's sessions, beside it or a page, or it is ten
 * programs whose workers take the whole of a machine as it is.
 */
const ONE_SESSION = /\/integration\/(bridge\/|setup\/|bench|faults)|\/e2e\/(page|room)/;
/** Run with several sessions, too, when all is run. */
const SEVERAL = { count: '3', files: ['integration/pc-', 'integration/media', 'e2e/contract-', 'e2e/apps-'] };

/** What a line begins with that is shown even when all is well. */
const NOTE = 'note: ';

interface Totals {
	passed: number;
	failed: number;
}

interface Ended {
	code: number | null;
	output: string;
	timedOut: boolean;
	leftBehind: string[];
}

/** What is to be run. */
interface Selection {
	/** Suites, or parts of paths; none for all. */
	readonly words: readonly string[];
	/** Of each shim; AIORTC_SHIM_WORKERS says how many where this does not. */
	readonly sessions?: string;
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { sessions: { type: 'string' } } });
const totals: Totals = { passed: 0, failed: 0 };

await runSuites({ words: positionals, sessions: values.sessions });
if (positionals.length === 0 && !values.sessions) await runSuites({ words: SEVERAL.files, sessions: SEVERAL.count });

console.log(`\n${totals.passed} passed, ${totals.failed} failed`);
process.exitCode = totals.failed > 0 || totals.passed === 0 ? 1 : 0;

async function runSuites(selection: Selection): Promise<void> {
	// Unit tests share nothing, so two run at once; the others own ports, workers and time, and run alone.
	await runFiles('unit', 2, selection);
	await runWorker(selection);
	await runFiles('integration', 1, selection);
	await runFiles('interop', 1, selection);
	await runFiles('wpt', 1, selection);
	await runFiles('e2e', 1, selection);
	await runFiles('runtimes', 1, selection);
}

async function runFiles(suite: Suite, atOnce: number, selection: Selection): Promise<void> {
	const files = globSync(`tests/${suite}/**/*.test.ts`, { cwd: root })
		.filter((file) => isWanted(suite, file, selection))
		.sort();
	if (files.length > 0) await prepare(suite);
	const next = files.values();
	await Promise.all(
		Array.from({ length: atOnce }, async () => {
			for (const file of next) await runFile(suite, file, selection);
		}),
	);
}

/** What the first run of all installs or builds takes minutes, and no test's deadline is for that. */
async function prepare(suite: Suite): Promise<void> {
	for (const ensure of NEEDED[suite] ?? []) {
		// A test that needs it fails with the same sentence.
		await ensure(console.log).catch((error: Error) => console.log(error.message));
	}
}

function isWanted(suite: string, file: string, { words, sessions }: Selection): boolean {
	if (sessions && (!['integration', 'e2e'].includes(suite) || ONE_SESSION.test(file))) return false;
	return words.length === 0 || words.some((word) => word === suite || (word.includes('/') && file.includes(word)));
}

async function runFile(suite: Suite, file: string, { sessions }: Selection): Promise<void> {
	const started = Date.now();
	const variables = sessions ? { AIORTC_SHIM_WORKERS: sessions } : undefined;
	const ended = await run(process.execPath, [file], root, DEADLINE_MS[suite], variables);
	const total = Number(/^\s*Total:\s+(\d+)/m.exec(ended.output)?.[1] ?? 0);
	const passed = Number(/^\s*Passed:\s+(\d+)/m.exec(ended.output)?.[1] ?? 0);
	const faults = [
		ended.timedOut && `not finished after ${DEADLINE_MS[suite] / 1000} s`,
		!ended.timedOut && ended.code !== 0 && passed === total && `exit code ${ended.code}`,
		!ended.timedOut && total === 0 && 'no test ran',
		ended.leftBehind.length > 0 && `left behind: ${ended.leftBehind.join('; ')}`,
	].filter(Boolean);
	totals.passed += passed;
	totals.failed += total - passed + faults.length;
	const name = sessions ? `${file} with ${sessions} sessions` : file;
	report(name, started, passed === total && faults.length === 0, ended.output, faults.join(', '));
}

/** All of the worker's tests; those of what can be compiled once more, as compiled, where there is a C compiler. */
async function runWorker(selection: Selection): Promise<void> {
	if (!isWanted('worker', 'worker/tests', selection)) return;
	const python = await ensurePython({ lock: 'requirements-dev.lock' });
	await runPytest('worker/tests', python, [], '');
	try {
		await runPytest('worker/tests, compiled', python, OF_COMPILED, await ensureCompiled(python));
	} catch (error) {
		console.log(`     ${NOTE}nothing is compiled: ${(error as Error).message}`);
	}
}

async function runPytest(name: string, python: string, files: readonly string[], compiled: string): Promise<void> {
	const started = Date.now();
	const args = ['-m', 'pytest', '-q', '--color=no', '-n', '3', ...files];
	const ended = await run(python, args, join(root, 'worker'), PYTEST_MS, { AIORTC_WORKER_COMPILED: compiled });
	const count = (word: string) => Number(new RegExp(`(\\d+) ${word}`).exec(ended.output.slice(-2000))?.[1] ?? 0);
	const passed = count('passed');
	const failed = count('failed') + count('error');
	const faults = [
		ended.timedOut && `not finished after ${PYTEST_MS / 1000} s`,
		failed === 0 && ended.code !== 0 && `exit code ${ended.code}`,
		ended.leftBehind.length > 0 && `left behind: ${ended.leftBehind.join('; ')}`,
	].filter(Boolean);
	totals.passed += passed;
	totals.failed += failed + faults.length;
	report(name, started, failed === 0 && faults.length === 0, ended.output, faults.join(', '));
}

/** Runs a command in a process group of its own; at its end nothing of that group may be alive. */
function run(
	command: string,
	args: string[],
	cwd: string,
	deadline: number,
	variables: Record<string, string> = {},
): Promise<Ended> {
	return new Promise((resolve) => {
		const env = { ...process.env, ...variables };
		const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
		const chunks: Buffer[] = [];
		let timedOut = false;
		child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
		child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
		const timer = setTimeout(() => {
			timedOut = true;
			killGroup(child.pid);
		}, deadline);
		child.on('error', (error) => chunks.push(Buffer.from(String(error))));
		child.on('close', async (code) => {
			clearTimeout(timer);
			const leftBehind = timedOut ? [] : await survivors(child.pid);
			killGroup(child.pid);
			resolve({ code, output: Buffer.concat(chunks).toString(), timedOut, leftBehind });
		});
	});
}

function killGroup(pid: number | undefined): void {
	if (pid === undefined) return;
	try {
		process.kill(-pid, 'SIGKILL');
	} catch {
		// Nobody is left.
	}
}

/** The processes of a group that are still there 2 s after its leader ended (Linux; elsewhere none is seen). */
async function survivors(group: number | undefined): Promise<string[]> {
	for (let waited = 0; ; waited += 100) {
		const alive = processesOf(group);
		if (alive.length === 0 || waited >= 2000) return alive;
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
}

function processesOf(group: number | undefined): string[] {
	if (process.platform !== 'linux') return [];
	return readdirSync('/proc')
		.filter((name) => /^\d+$/.test(name))
		.flatMap((pid) => {
			try {
				const [state, , groupOf] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
				if (Number(groupOf) !== group || state === 'Z') return [];
				return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()];
			} catch {
				return [];
			}
		});
}

function report(name: string, started: number, good: boolean, output: string, faults: string): void {
	const seconds = ((Date.now() - started) / 1000).toFixed(1);
	console.log(
		`${good ? 'ok  ' : 'FAIL'} ${relative(root, join(root, name))} (${seconds} s)${faults ? `: ${faults}` : ''}`,
	);
	const shown = good ? output.split('\n').filter((line) => line.startsWith(NOTE)) : output.split('\n');
	for (const line of shown) console.log(`     ${line}`);
}
