/** The command `aiortc-shim`: runs a bridge, makes and checks the Python environment. */

import { readFileSync } from 'node:fs';
import { OPTIONS, parseOptions, UsageError } from './cliOptions.ts';
import { ensureCompiled } from './compile.ts';
import { doctor } from './doctor.ts';
import { levelOfEnvironment } from './log/BridgeLog.ts';
import { isLogged, KINDS } from './log/kinds.ts';
import { openLog } from './log/openLog.ts';
import { writeStderr } from './log/stderr.ts';
import { PACKAGE } from './paths.ts';
import { checkPython, discardBroken, ensurePython } from './python.ts';
import { type Bridge, type BridgeOptions, startBridge } from './server.ts';

const USAGE = `usage: aiortc-shim <command> [options]

  bridge    lets pages and programs use WebRTC on this machine, and prints where
  setup     makes the Python environment that the bridge needs, or repairs it; with --compile, and a C compiler,
            small messages on channels then cost less
  doctor    says what is there and what is missing

  --version says which version this is
`;

const BRIDGE_USAGE = `usage: aiortc-shim bridge [options]

Prints AIORTC_SHIM_URL and AIORTC_SHIM_TOKEN, which clients take from their environment, and runs until Ctrl-C.

${OPTIONS}`;

const SHELL_POLL_MS = 250;

const HELP = ['--help', '-h', 'help'];

async function main([command, ...args]: string[]): Promise<void> {
	if (command === undefined) throw new UsageError('a command is needed: bridge, setup or doctor');
	if (HELP.includes(command)) return print(`${USAGE}\nbridge:\n\n${OPTIONS}`);
	if (command === '--version' || command === '-v') return print(`${version()}\n`);
	if (command === 'bridge') return args.some((arg) => HELP.includes(arg)) ? print(BRIDGE_USAGE) : runBridge(args);
	if (command !== 'setup' && command !== 'doctor') throw new UsageError(`there is no command ${command}`);
	if (args.some((arg) => HELP.includes(arg))) return print(USAGE);
	if (command === 'setup' && args.join() === '--compile') return setUp({ compile: true });
	if (args.length > 0) throw new UsageError(`${command} has no option ${args.join(' ')}`);
	return command === 'setup' ? setUp() : doctor();
}

async function runBridge(args: readonly string[]): Promise<void> {
	const options = parseOptions(args);
	const log = openLog(options.logFormat);
	const bridge = await start({ ...options, log });
	if (isLogged(KINDS.advice, options.logLevel ?? levelOfEnvironment())) {
		for (const message of options.advice) log({ level: KINDS.advice, source: 'bridge', kind: 'advice', message });
	}
	const close = () => void bridge.close().then(() => process.exit());
	process.once('SIGINT', close).once('SIGTERM', close);
	if (process.env.npm_lifecycle_event) onShellGone(close);
	await bridge.ready.catch(async () => {
		// Its reason has been logged.
		process.exitCode = 1;
		await bridge.close();
	});
	if (process.exitCode) return;
	const lines = [`AIORTC_SHIM_URL=${bridge.url}`, ...(options.access ? [] : [`AIORTC_SHIM_TOKEN=${bridge.token}`])];
	// At once: the console swallows the error of one write to a reader that is gone, and not of the next.
	console.log(lines.join('\n'));
}

async function start(options: BridgeOptions): Promise<Bridge> {
	try {
		return await startBridge(options);
	} catch (error) {
		const { host = '127.0.0.1', port } = options;
		const { code, message } = error as NodeJS.ErrnoException;
		if (code === 'EADDRINUSE') throw new Error(`port ${port} is in use: choose another --port, or none for a free one`);
		if (code === 'EACCES') throw new Error(`port ${port} may not be used by this user: choose a --port from 1024 on`);
		if (code) throw new Error(`--host ${host} cannot be listened on: ${message}`);
		throw error;
	}
}

/** npx passes SIGTERM on to its shell alone, which ends without a word to us: its end is the signal then. */
function onShellGone(callback: () => void): void {
	const shell = process.ppid;
	const timer = setInterval(() => {
		if (process.ppid === shell) return;
		clearInterval(timer);
		callback();
	}, SHELL_POLL_MS).unref();
}

async function setUp({ compile = false } = {}): Promise<void> {
	let python = await ensurePython();
	if (await discardBroken(python)) python = await ensurePython();
	await checkPython(python);
	console.log(python);
	if (compile) console.log(await ensureCompiled(python));
}

function version(): string {
	return (JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string }).version;
}

function print(text: string): void {
	process.stdout.write(text);
}

main(process.argv.slice(2)).catch((error: Error) => {
	const isUsage = error instanceof UsageError;
	writeStderr(`aiortc-shim: ${error.message}\n`);
	if (isUsage) writeStderr('aiortc-shim --help says what there is\n');
	process.exitCode = isUsage ? 2 : 1;
});
