/** Every block of code of the README, run. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { build } from 'esbuild';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import packageJson from '../../package.json' with { type: 'json' };
import { launchChromium } from './browser.ts';

const root = join(import.meta.dirname, '../..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');

interface Block {
	language: string;
	code: string;
}

/** Fenced or indented. */
const blocks: Block[] = [...readme.matchAll(/^```(\w*)\n([\s\S]*?)^```|^(?: {4}.*\n)+/gm)].map(
	([whole, language, code]) => ({
		language: language ?? 'sh',
		code: code ?? whole.replace(/^ {4}/gm, ''),
	}),
);

/** What runs the blocks that a line of theirs tells from all others. */
const runners = new Map<string, (code: string) => Promise<void>>();

function block(mark: string, run: (code: string) => Promise<void>): void {
	runners.set(mark, run);
}

/** Sessions of a shim, with each of which a block does the same. */
const COUNTS = ['1', '3'];

block('const alice = new RTCPeerConnection();', async (code) => {
	const [, promised] = /prints `([^`]+)`/.exec(readme)!;
	for (const count of COUNTS) assert.is(await runScript(code, { AIORTC_SHIM_WORKERS: count }), `${promised}\n`);
});

for (const mark of ['new Device()', 'createShim()', "source: 'film.webm'"]) {
	block(mark, async (code) => {
		const film = join(root, 'demo/media/sample.webm');
		const whole = code.replaceAll('film.webm', film);
		for (const count of COUNTS)
			assert.is(await runScript(whole, { AIORTC_SHIM_WORKERS: count }), `${promisedOf(code)}\n`);
	});
}

for (const mark of ['bridge --port 8080', '--udp-ports']) {
	block(mark, async (code) => {
		const bridge = await startBridge(code);
		// The next block has it from here.
		if (code.includes('--announce 203.0.113.5')) assert.match(bridge.url, /^ws:\/\/203\.0\.113\.5:\d+$/);
		await bridge.stop();
	});
}

block('voice.queuedDuration', async (code) => assert.is(await runScript(code), '2000000\n'));

block('AIORTC_SHIM_URL=', async (code) => {
	const [, url, token, file] = /^AIORTC_SHIM_URL=(\S+) AIORTC_SHIM_TOKEN='(.*)' node (\S+)$/m.exec(code)!;
	assert.ok(url && token && file);
	const bridge = await startBridge('npx aiortc-shim bridge');
	// There is no Python of its own, so nothing that it could start.
	const variables = { AIORTC_SHIM_URL: bridge.url, AIORTC_SHIM_TOKEN: bridge.token, AIORTC_SHIM_PYTHON: '/nowhere' };
	const first = blocks.find((each) => each.code.includes('const alice'))!;
	for (const AIORTC_SHIM_WORKERS of COUNTS)
		assert.is(await runScript(first.code, { ...variables, AIORTC_SHIM_WORKERS }), 'hello 320x240\n');
	await bridge.stop();
});

block('<script src="aiortc-shim.global.js"', async (code) => {
	const bridge = await startBridge('npx aiortc-shim bridge');
	const html = code
		.replace(/data-url="ws:[^"]*"/, `data-url="${bridge.url}"`)
		.replace(/data-token="[^"]*"/, `data-token="${bridge.token}"`);
	assert.is(await offerOf(html), 'offer');
	await bridge.stop();
});

// npm's own work, which tests/runtimes does for the first and main-job.test.ts for the second: here, that there is such a script.
for (const mark of ['npm install aiortc-shim', 'npm ci && npm start', 'npm ci && npm test']) {
	block(mark, async (code) => {
		const { name, scripts } = packageJson;
		const [, , word, argument = ''] = /(npm ci && )?npm (\w+)(?: (.*))?$/m.exec(code.trim())!;
		assert.ok(word! in scripts || argument === name, code);
	});
}

// The picture of how it works.
block('──', async (code) => assert.match(code, /worker \(Python, aiortc\)/));

test('every block has one that runs it, and none is told apart by two', () => {
	for (const { code } of blocks) {
		const found = [...runners.keys()].filter((mark) => code.includes(mark));
		assert.is(found.length, 1, `${found.length} for:\n${code}`);
	}
	assert.is(blocks.length, runners.size);
});

for (const [mark, run] of runners) {
	test(`${mark}: the block does what it says`, async () => {
		const found = blocks.find(({ code }) => code.includes(mark));
		assert.ok(found, 'it is in the README');
		await run(found.code);
	});
}

test('the options of the command that the README names are there', async () => {
	const asked = [['--help'], ['bridge', '--help']].map((args) =>
		output(spawn(process.execPath, [COMMAND, ...args], { cwd: root })),
	);
	const help = (await Promise.all(asked)).join('\n');
	// Those of Deno and of a bundler are their own.
	for (const [, option] of readme.matchAll(/(--(?!help|headless|allow-|external)[a-z][a-z-]+)/g)) {
		assert.ok(help.includes(option!), `${option} in ${help}`);
	}
});

test('variables of the environment that the code reads are in the README', () => {
	for (const name of ['URL', 'TOKEN', 'WORKERS', 'LAZY', 'PYTHON', 'WINDOW', 'DEBUG'])
		assert.match(readme, `AIORTC_SHIM_${name}`);
});

const COMMAND = join(root, 'scripts/aiortc-shim.cjs');

/** What a block says behind its console.log. */
function promisedOf(code: string): string {
	return /console\.log\(.*\); \/\/ (.*)$/m.exec(code)![1]!;
}

/** What a module prints, which must end by itself. */
async function runScript(code: string, variables: NodeJS.ProcessEnv = {}): Promise<string> {
	const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
		cwd: root,
		env: { ...process.env, ...variables },
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	return output(child);
}

async function output(child: ChildProcess): Promise<string> {
	let printed = '';
	child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
		printed += chunk;
	});
	const [code] = await once(child, 'close');
	assert.is(code, 0, printed);
	return printed;
}

interface RunningBridge {
	url: string;
	token: string;
	stop(): Promise<void>;
}

/** The command of a block, on a free port. */
async function startBridge(code: string): Promise<RunningBridge> {
	const [, line] = /^npx aiortc-shim (bridge.*)$/m.exec(code)!;
	const args = line!.replace('--port 8080', '--port 0').split(' ');
	const child = spawn(process.execPath, [COMMAND, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
	let printed = '';
	for await (const chunk of child.stdout.setEncoding('utf8')) {
		printed += chunk;
		if (/AIORTC_SHIM_TOKEN=.*\n/.test(printed)) break;
	}
	const [, url, token] = /^AIORTC_SHIM_URL=(.*)\nAIORTC_SHIM_TOKEN=(.*)\n$/.exec(printed) ?? [];
	assert.ok(url && token, `it printed ${printed}`);
	const stop = async () => {
		const ended = once(child, 'exit');
		child.kill('SIGINT');
		assert.equal(await ended, [0, null]);
	};
	return { url, token, stop };
}

/** The type of the offer that a page of this HTML makes, in a browser without WebRTC of its own. */
async function offerOf(html: string): Promise<string> {
	const entryPoints = [join(root, 'entries/page.ts')];
	const { outputFiles } = await build({ entryPoints, bundle: true, write: false, target: 'es2022' });
	const server = createServer(({ url }, response) => {
		response.setHeader('content-type', url === '/' ? 'text/html' : 'text/javascript');
		response.end(url === '/' ? `<!doctype html>${html}` : outputFiles[0]!.contents);
	}).listen(0, 'localhost');
	await once(server, 'listening');
	const browser = await launchChromium();
	try {
		const page = await browser.newPage();
		await page.addInitScript(() => Reflect.deleteProperty(globalThis, 'RTCPeerConnection'));
		await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
		return await page.evaluate(async () => {
			const connection = new RTCPeerConnection();
			connection.createDataChannel('chat');
			const { type } = await connection.createOffer();
			connection.close();
			return type!;
		});
	} finally {
		await browser.close();
		server.close();
	}
}

test.run();
