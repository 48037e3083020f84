import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Context, createContext, runInContext } from 'node:vm';
import { type BuildOptions, build } from 'esbuild';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ensurePython } from '../../../bridge/python.ts';
import { CONNECT } from './script.ts';

const root = join(import.meta.dirname, '../../..');
const folder = mkdtempSync(join(tmpdir(), 'aiortc-package-'));
const installed = join(folder, 'node_modules', 'aiortc-shim');

// A program's folder, into which the package was installed.
test.before(() => {
	mkdirSync(join(folder, 'node_modules'));
	execFileSync(process.execPath, [join(root, 'esbuild.config.mjs'), installed], { stdio: 'inherit' });
	const { dependencies } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
	for (const name of Object.keys(dependencies)) {
		symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name), 'junction');
	}
});

test.after(() => rmSync(folder, { recursive: true, force: true }));

async function run(name: string, code: string, more: NodeJS.ProcessEnv = {}): Promise<string> {
	writeFileSync(join(folder, name), code);
	const env = { ...process.env, AIORTC_SHIM_PYTHON: await ensurePython(), ...more };
	const { stdout, stderr, status } = spawnSync(process.execPath, [name], { cwd: folder, env, encoding: 'utf8' });
	assert.is(status, 0, stderr);
	return stdout;
}

const USE = `
	${CONNECT}
	const stats = await alice.getStats();
	console.log(channel.readyState, alice.constructor.name, stats.constructor.name, alice instanceof classes.RTCPeerConnection);
	alice.close();
	bob.close();
`;

test('the package works for a module', async () => {
	const code = `import 'aiortc-shim/global'; import * as classes from 'aiortc-shim'; ${USE}`;
	assert.is(await run('module.mjs', code), 'open RTCPeerConnection RTCStatsReport true\n');
});

test('the package works for CommonJS, with one class of each name', async () => {
	const code = `require('aiortc-shim/global'); const classes = require('aiortc-shim'); (async () => { ${USE} })();`;
	assert.is(await run('common.cjs', code), 'open RTCPeerConnection RTCStatsReport true\n');
});

test("the package's command runs", async () => {
	const command = join(installed, 'scripts', 'aiortc-shim.cjs');
	const env = { ...process.env, AIORTC_SHIM_PYTHON: await ensurePython() };
	const { stdout } = spawnSync(process.execPath, [command, 'doctor'], { env, encoding: 'utf8' });
	assert.match(stdout, /^ok {4}environment: aiortc 1\.16\.0/m);
});

test('a bundle for Node leaves the package out, and is told so when it does not', async () => {
	const program = join(folder, 'bundled.mjs');
	writeFileSync(
		program,
		`import { createShim } from 'aiortc-shim';
		const shim = createShim({ log() {} });
		shim.ready.then(() => 'ready', ({ message }) => message).then(console.log).then(() => shim.close());`,
	);
	const made: BuildOptions = { bundle: true, platform: 'node', entryPoints: [program], write: false };
	const bundle = async (options: BuildOptions) => (await build({ ...made, ...options })).outputFiles![0]!.text;
	const env = { AIORTC_SHIM_PYTHON: undefined };
	assert.match(
		await run('bundle.cjs', await bundle({ format: 'cjs' }), env),
		/worker is not there, .*: leave aiortc-shim out of a bundle for Node \(esbuild --external:aiortc-shim\)\n$/,
	);
	assert.is(await run('bundle.mjs', await bundle({ format: 'esm', external: ['aiortc-shim'] })), 'ready\n');
});

/** A page's globals after the script has run in it; its faults without the script's text, which is one line. */
function runInPage({ force = false, native = {} }: { force?: boolean; native?: object } = {}): Context {
	const host = { EventTarget, Event, DOMException, MessageEvent, TextDecoder, TextEncoder, setImmediate, crypto };
	const document = { currentScript: { dataset: {}, hasAttribute: () => force } };
	const page = createContext({ ...host, document, navigator: {}, ...native });
	try {
		runInContext(script(), page);
	} catch (error) {
		throw new Error(String(error).slice(0, 200));
	}
	return page;
}

const script = () => readFileSync(join(installed, 'aiortc-shim.global.js'), 'utf8');

test("the page's script is light and has nothing of Node", () => {
	assert.ok(script().length < 200_000, `${script().length} characters`);
	assert.not.ok(/node:|child_process|createServer/.test(script()));
});

test("the page's script gives a page what it lacks", () => {
	const page = runInPage();
	assert.is(runInContext('RTCPeerConnection.name', page), 'RTCPeerConnection');
	assert.is(runInContext('String(navigator.mediaDevices)', page), '[object MediaDevices]');
});

test("the page's script leaves native WebRTC alone unless told otherwise", () => {
	const native = { RTCPeerConnection: 'native' };
	assert.is(runInPage({ native }).RTCPeerConnection, 'native');
	assert.type(runInPage({ native, force: true }).RTCPeerConnection, 'function');
});

test.run();
