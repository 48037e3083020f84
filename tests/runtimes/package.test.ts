import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EmptyFolder } from './EmptyFolder.ts';
import { ensureTools } from './tools.ts';

const root = join(import.meta.dirname, '../..');
const tools = await ensureTools();
const folder = await EmptyFolder.create();
cpSync(join(import.meta.dirname, 'types'), folder.at('types'), { recursive: true });

test.after(() => folder.remove());

/** Runs a command in the folder; its output, or both outputs in an error. */
function run(command: string, args: readonly string[]): string {
	const { status, stdout, stderr } = spawnSync(command, args, {
		cwd: folder.path,
		env: folder.environment,
		encoding: 'utf8',
	});
	assert.is(status, 0, `${command} ${args.join(' ')}: ${stdout}${stderr}`);
	return stdout;
}

const bin = (name: string) => join(tools, '.bin', name);

test('publint finds nothing', () => {
	assert.match(run(bin('publint'), ['run', folder.packed, '--strict']), /All good!/);
});

test('attw finds no way of resolving that leads to the wrong types', () => {
	assert.match(run(bin('attw'), [folder.packed]), /No problems found/);
});

test('there is what runs, its types and its documents, and nothing of the checkout else', () => {
	const names = execFileSync('tar', ['tzf', folder.packed], { encoding: 'utf8' }).trim().split('\n');
	const kinds = new Set(names.map((name) => name.split('/')[1]));
	const expected = [
		'LICENSE',
		'README.md',
		'CHANGELOG.md',
		'package.json',
		'docs',
		'lib',
		'scripts',
		'types',
		'worker',
	];
	assert.equal([...kinds].sort(), [...expected, 'aiortc-shim.global.js', 'aiortc-shim.global.d.ts'].sort());
	assert.equal(
		names.filter((name) => /\.test\.|tests?\/|__pycache__|(?<!\.d)\.m?ts$/.test(name)),
		[],
	);
	assert.ok(statSync(folder.packed).size < 1_000_000, `${statSync(folder.packed).size} bytes`);
	const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
	assert.is(JSON.parse(readFileSync(folder.installed('package.json'), 'utf8')).version, version);
	assert.match(readFileSync(join(root, 'entries/version.ts'), 'utf8'), `'${version}'`);
});

const strict = ['--noEmit', '--strict', '--target', 'es2022', '--lib', 'es2022,dom,dom.iterable'];
const tsc = (...args: string[]) => run(join(root, 'node_modules/.bin/tsc'), [...strict, ...args]);

test('its types compile in a strict project without any others, for modules and for CommonJS', () => {
	tsc('--module', 'nodenext', 'types/module.mts');
	tsc('--module', 'nodenext', 'types/commonjs.cts');
});

test('its types compile for a bundler, and for the bundle of a page', () => {
	tsc('--module', 'esnext', '--moduleResolution', 'bundler', 'types/module.mts');
	tsc('--module', 'esnext', '--moduleResolution', 'bundler', '--customConditions', 'browser', 'types/page.ts');
});

test("a page's bundle has nothing of Node", async () => {
	const { outputFiles } = await build({
		stdin: { contents: "import 'aiortc-shim/global'; export * from 'aiortc-shim';", resolveDir: folder.path },
		bundle: true,
		write: false,
		format: 'esm',
		platform: 'browser',
	});
	assert.not.match(outputFiles[0]!.text, /node:|child_process/);
});

test('an older Node is told by the import and by the command, in a sentence', () => {
	const pretend = "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.20.8' } });";
	writeFileSync(folder.at('old.cjs'), pretend);
	const preload = ['--require', './old.cjs'];
	for (const args of [
		['--input-type=module', '--eval', "import 'aiortc-shim/global';"],
		['--eval', "require('aiortc-shim');"],
		['--eval', "require('aiortc-shim/bridge');"],
		[folder.installed('scripts', 'aiortc-shim.cjs'), 'doctor'],
	]) {
		const options = { cwd: folder.path, env: folder.environment, encoding: 'utf8' } as const;
		const { status, stderr } = spawnSync(process.execPath, [...preload, ...args], options);
		assert.is(status, 1);
		assert.match(stderr, /Node >= 20.*this is 18\.20\.8: install it from https:\/\/nodejs\.org/);
		assert.not.match(stderr, /^\s+at /m);
	}
});

test('the command npx finds says what is there, and runs a bridge until Ctrl-C', async () => {
	const command = folder.at('node_modules/.bin/aiortc-shim');
	assert.match(run(command, ['doctor']), /^ok {4}environment: aiortc 1\.16\.0/m);
	assert.match(run(command, ['setup']), /python/);

	const bridge = spawn(command, ['bridge'], { cwd: folder.path, env: folder.environment });
	const [first] = await once(bridge.stdout.setEncoding('utf8'), 'data');
	assert.match(first, /^AIORTC_SHIM_URL=ws:\/\/127\.0\.0\.1:\d+\n/);
	bridge.kill('SIGINT');
	assert.equal(await once(bridge, 'exit'), [0, null]);
});

test.run();
