/** `aiortc-shim bridge` as a process: what it says, who may hear it, and how it ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Client, ping, rejection } from './client.ts';
import { childrenOf, isAlive, within } from './processes.ts';

const cli = join(import.meta.dirname, '../../../bridge/cli.ts');
const TOKEN = 'c2VjcmV0LW9mLXRoZS1icmlkZ2U';

const folder = mkdtempSync(join(tmpdir(), 'aiortc-command-'));
test.after(() => rmSync(folder, { recursive: true }));

interface Running {
	readonly child: ChildProcess;
	readonly url: string;
	/** What it has printed so far. */
	readonly out: { stdout: string; stderr: string };
}

const SHELL = 'exec "$@"';

/** Runs `work` with the command, whose first line is awaited; `shell` starts it. */
async function withCommand(args: string[], work: (running: Running) => Promise<void>, shell = SHELL, more = {}) {
	const command = [process.execPath, cli, 'bridge', '--workers', '1', ...args];
	const { AIORTC_SHIM_TOKEN: _, ...env } = process.env;
	const child = spawn('sh', ['-c', shell, 'sh', ...command], {
		env: { ...env, ...more },
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	const out = { stdout: '', stderr: '' };
	child.stdout.setEncoding('utf8').on('data', (text: string) => {
		out.stdout += text;
	});
	child.stderr.setEncoding('utf8').on('data', (text: string) => {
		out.stderr += text;
	});
	try {
		const [line] = await once(createInterface({ input: child.stdout }), 'line', {
			signal: AbortSignal.timeout(30_000),
		});
		await work({ child, out, url: line.replace('AIORTC_SHIM_URL=', '') });
	} finally {
		const ended = child.exitCode !== null || child.signalCode !== null || once(child, 'exit');
		child.kill('SIGTERM');
		await ended;
	}
}

/** Makes the bridge log, by what it refuses, and then opens a session. */
async function logAndConnect(url: string, token: string): Promise<void> {
	for (let line = 0; line < 5; line++) {
		const client = new Client(url, { origin: `https://${line}.example` });
		assert.is(await rejection(client.opened), '403');
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
	const client = new Client(url);
	await client.hello(token);
	client.send(ping(1));
	assert.equal(await client.take(), { reply: 1, out: {} });
	await client.end();
}

test('a bridge whose stderr is closed logs on and lets connect', () =>
	withCommand([], ({ url }) => logAndConnect(url, TOKEN), `${SHELL} 2>&-`, { AIORTC_SHIM_TOKEN: TOKEN }));

for (const format of ['text', 'json']) {
	test(`a bridge whose reader of stderr is gone logs ${format} on and lets connect`, () =>
		withCommand(
			['--log-format', format],
			async ({ child, url }) => {
				child.stderr!.destroy();
				await logAndConnect(url, TOKEN);
				await logAndConnect(url, TOKEN);
			},
			SHELL,
			{ AIORTC_SHIM_TOKEN: TOKEN },
		));
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
	const server = createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const { port } = server.address() as AddressInfo;
	server.close();
	await once(server, 'close');
	return port;
}

test('a bridge whose address and token nobody reads lets connect', async () => {
	const port = await freePort();
	const child = spawn(process.execPath, [cli, 'bridge', '--port', `${port}`], {
		env: { ...process.env, AIORTC_SHIM_TOKEN: TOKEN },
		stdio: ['ignore', 'pipe', 'ignore'],
	});
	child.stdout.destroy();
	try {
		const url = `ws://127.0.0.1:${port}`;
		await listening(url);
		// Both lines follow when a worker is ready.
		await logAndConnect(url, TOKEN);
		await new Promise((resolve) => setTimeout(resolve, 500));
		await logAndConnect(url, TOKEN);
	} finally {
		const ended = child.exitCode !== null || child.signalCode !== null || once(child, 'exit');
		child.kill('SIGTERM');
		await ended;
	}
});

/** Waits until a bridge answers there. */
async function listening(url: string): Promise<void> {
	for (let tries = 0; tries < 300; tries++) {
		if (await fetch(`${url.replace('ws:', 'http:')}/health`).catch(() => null)) return;
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
	throw new Error(`nobody listens at ${url}`);
}

/** Logs more than a pipe and the log's own memory hold, and ends. */
const FLOOD = `
	import { openLog } from './bridge/log/openLog.ts';
	const log = openLog('text');
	const message = 'x'.repeat(400);
	for (let i = 0; i < 20_000; i++) log({ level: 'warn', source: 'bridge', kind: 'refused', message });
	setTimeout(() => { console.log(process.stderr.writableLength < 2 << 20); process.exit(); }, 100);
`;

test('a log whose reader reads nothing holds up neither its program nor its end, and fills no memory', async () => {
	const child = spawn(process.execPath, ['--input-type=module', '-e', FLOOD], {
		cwd: join(import.meta.dirname, '../../..'),
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	try {
		const [said] = await once(child.stdout, 'data', { signal: AbortSignal.timeout(20_000) });
		assert.is(String(said), 'true\n');
		assert.equal(await once(child, 'exit', { signal: AbortSignal.timeout(5_000) }), [0, null]);
	} finally {
		child.kill('SIGKILL');
	}
});

function tokenFile(mode = 0o600): string {
	const file = join(folder, `tokens-${mode}`);
	writeFileSync(file, `# of the tests\n${TOKEN}\n\n${TOKEN}-of-another\n`);
	chmodSync(file, mode);
	return file;
}

test('the tokens of a file let in, and are printed nowhere', () =>
	withCommand(['--token-file', tokenFile()], async ({ url, out }) => {
		await logAndConnect(url, TOKEN);
		await logAndConnect(url, `${TOKEN}-of-another`);
		const client = new Client(url);
		assert.match(await rejection(client.hello('# of the tests')), /4001/);
		assert.not.match(out.stdout + out.stderr, new RegExp(`${TOKEN}|every user`));
	}));

test('who lets others see a token is told so, and how to hide it', async () => {
	await withCommand(['--token', TOKEN], async ({ out }) => {
		const advice =
			/^\S+Z warn {2}the token of --token is seen by every user .* use --token-file, or AIORTC_SHIM_TOKEN$/m;
		assert.ok(await within(2000, () => advice.test(out.stderr)), out.stderr);
		assert.not(out.stderr.includes(TOKEN));
	});
	const file = tokenFile(0o644);
	await withCommand(['--token-file', file], async ({ out }) => {
		assert.ok(
			await within(2000, () => out.stderr.includes(`may read the tokens of ${file}: chmod 600 it`)),
			out.stderr,
		);
	});
});

test('for a collector of logs each line is an object', () =>
	withCommand(['--token-file', tokenFile(), '--log-format', 'json', '--log-level', 'debug'], async ({ url, out }) => {
		await logAndConnect(url, TOKEN);
		assert.ok(await within(2000, () => out.stderr.includes('session-ended')), out.stderr);
		const lines = out.stderr
			.trim()
			.split('\n')
			.map((line) => JSON.parse(line));
		const refused = lines.find(({ kind }) => kind === 'refused');
		assert.ok(Math.abs(Date.parse(refused.time) - Date.now()) < 60_000);
		assert.equal(
			{ ...refused, time: '' },
			{
				level: 'warn',
				time: '',
				address: '127.0.0.1',
				source: 'bridge',
				kind: 'refused',
				message:
					'refused with 403: Pages of https://0.example may not connect: start the bridge with --origin https://0.example',
			},
		);
		assert.ok(lines.some(({ kind, session }) => kind === 'session-began' && /^[0-9a-f]{8}$/.test(session)));
	}));

test('with a level of error nothing is said of what is refused', () =>
	withCommand(
		['--token', TOKEN],
		async ({ url, out }) => {
			await logAndConnect(url, TOKEN);
			assert.is(out.stderr, '');
		},
		SHELL,
		{ AIORTC_SHIM_LOG_LEVEL: 'error' },
	));

test('a bridge that npm started ends with npm’s shell, whoever ended that', async () => {
	// The colon keeps the shell from becoming the bridge; npm sends SIGTERM to the shell alone.
	const shell = '"$@"; :';
	let bridge = 0;
	await withCommand(
		['--token-file', tokenFile()],
		async ({ child }) => {
			[bridge] = childrenOf(child.pid) as [number];
			const workers = childrenOf(bridge);
			assert.is(workers.length, 1);
			child.kill('SIGTERM');
			assert.ok(await within(8_000, () => [bridge, ...workers].every((pid) => !isAlive(pid))));
		},
		shell,
		{ npm_lifecycle_event: 'npx' },
	).finally(() => bridge && isAlive(bridge) && process.kill(bridge, 'SIGKILL'));
});

test.run();
