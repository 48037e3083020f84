/** The command `aiortc-shim`: runs a bridge, makes and checks the Python environment. */

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Capability } from '../shim/link/hello.ts';
import { doctor } from './doctor.ts';
import { type Access, CAPABILITIES, DEFAULT_LIMITS } from './limits.ts';
import { checkPython, discardBroken, ensurePython } from './python.ts';
import { type Isolation, startBridge } from './server.ts';

const USAGE = `usage: aiortc-shim <command> [options]

  bridge    lets pages and programs use WebRTC on this machine, and prints where
  setup     makes the Python environment that the bridge needs, or repairs it
  doctor    says what is there and what is missing

bridge:
  --host <address>        listen there; 127.0.0.1 unless given
  --port <number>         a free one unless given
  --token <text>          what a client must show; AIORTC_SHIM_TOKEN unless given, else one is made and printed
  --tokens <file>         several: JSON [{"token", "capabilities": [], "limits": {}}, …]
  --allow <capability>    ${CAPABILITIES.join(', ')}; may be repeated; none unless given
  --origin <origin>       pages of https://example.org may connect; may be repeated; * for all
  --announce <name>       a name under which the bridge is reached, beside localhost; may be repeated
  --isolation <what>      session, token or shared: which sessions share a worker process
  --workers <number>      worker processes at most
  --max-sessions <number> sessions of a token at most; ${DEFAULT_LIMITS.sessions} unless given
  --grace <seconds>       for which a session outlives its connection; 30 unless given
`;

/** A mistake in the command line; the message says which. */
class UsageError extends Error {}

async function main([command, ...args]: string[]): Promise<void> {
	if (command === 'bridge') return runBridge(args);
	if (command === 'setup') return setUp();
	if (command === 'doctor') return doctor();
	if (command === '--help' || command === '-h' || command === 'help') return void process.stdout.write(USAGE);
	throw new UsageError(command ? `there is no command ${command}` : 'a command is needed');
}

async function runBridge(args: string[]): Promise<void> {
	const { values } = parseBridge(args);
	const limits = { sessions: count('max-sessions', values['max-sessions']) ?? DEFAULT_LIMITS.sessions };
	const bridge = await startBridge({
		host: values.host,
		port: count('port', values.port),
		token: values.token ?? process.env.AIORTC_SHIM_TOKEN,
		access: values.tokens ? readTokens(values.tokens) : undefined,
		capabilities: capabilities(values.allow ?? []),
		limits,
		isolation: isolation(values.isolation),
		workers: count('workers', values.workers),
		origins: values.origin,
		announce: values.announce,
		graceSeconds: count('grace', values.grace),
	});
	const close = () => void bridge.close().then(() => process.exit());
	process.once('SIGINT', close).once('SIGTERM', close);
	await bridge.ready.catch(async () => {
		// Its reason has been logged.
		process.exitCode = 1;
		await bridge.close();
	});
	if (process.exitCode) return;
	console.log(`AIORTC_SHIM_URL=${bridge.url}`);
	if (!values.tokens) console.log(`AIORTC_SHIM_TOKEN=${bridge.token}`);
}

function parseBridge(args: string[]) {
	const text = { type: 'string' } as const;
	const texts = { type: 'string', multiple: true } as const;
	try {
		return parseArgs({
			args,
			options: {
				host: text,
				port: text,
				token: text,
				tokens: text,
				allow: texts,
				origin: texts,
				announce: texts,
				isolation: text,
				workers: text,
				'max-sessions': text,
				grace: text,
			},
		});
	} catch (error) {
		throw new UsageError((error as Error).message);
	}
}

async function setUp(): Promise<void> {
	let python = await ensurePython();
	if (await discardBroken(python)) python = await ensurePython();
	await checkPython(python);
	console.log(python);
}

function count(name: string, value: string | undefined): number | undefined {
	if (value === undefined) return undefined;
	if (!/^\d+$/.test(value)) throw new UsageError(`--${name} is ${value}; a number is needed`);
	return Number(value);
}

function capabilities(names: readonly unknown[]): Capability[] {
	const wrong = names.find((name) => !CAPABILITIES.includes(name as Capability));
	if (wrong !== undefined) throw new UsageError(`${wrong} is no capability; there are ${CAPABILITIES.join(', ')}`);
	return names as Capability[];
}

function isolation(value: string | undefined): Isolation | undefined {
	if (value === undefined || value === 'session' || value === 'token' || value === 'shared') return value;
	throw new UsageError(`--isolation is ${value}; session, token or shared is needed`);
}

/** The file's tokens; what a row leaves out is nothing for capabilities, and the default for limits. */
function readTokens(file: string): Access[] {
	const rows: unknown = JSON.parse(readFileSync(file, 'utf8'));
	if (!Array.isArray(rows) || rows.length === 0) throw new UsageError(`${file} is no list of tokens`);
	return rows.map((row: Partial<Access>) => {
		if (typeof row.token !== 'string' || !row.token) throw new UsageError(`a row of ${file} has no token`);
		return {
			token: row.token,
			capabilities: capabilities(row.capabilities ?? []),
			limits: { ...DEFAULT_LIMITS, ...row.limits },
		};
	});
}

main(process.argv.slice(2)).catch((error: Error) => {
	process.stderr.write(`aiortc-shim: ${error.message}\n${error instanceof UsageError ? `\n${USAGE}` : ''}`);
	process.exitCode = error instanceof UsageError ? 2 : 1;
});
