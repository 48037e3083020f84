/**
 * Writes what is published into dist/, a package of its own: `npm publish dist`.
 * The sources need no build: they run as they are wherever TypeScript does, which in node_modules is nowhere.
 *
 *     node scripts/run.cjs esbuild.config.mjs [folder]
 */

import { execFileSync } from 'node:child_process';
import { cpSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

const root = import.meta.dirname;
const out = resolve(process.argv[2] ?? join(root, 'dist'));
const entry = (name) => join(root, 'entries', `${name}.ts`);

/** A class's name is its tag, too, and esbuild would call some `_RTCPeerConnection`. */
const all = { bundle: true, keepNames: true, logLevel: 'warning' };

/** Bundled is what would need more than Node 20 to load, env-paths as CommonJS; the rest is the user's copy. */
const runtimes = {
	...all,
	platform: 'node',
	target: 'node20',
	external: ['ws', 'proper-lockfile'],
	outdir: join(out, 'lib'),
};

/** CommonJS has no shared chunks: `global` takes the classes of `node`, or a program would have two of each. */
const shareNode = {
	name: 'share-node',
	setup({ onResolve }) {
		onResolve({ filter: /^\.\/node\.ts$/ }, () => ({ path: './node.cjs', external: true }));
	},
};

const commonjs = {
	...runtimes,
	format: 'cjs',
	outExtension: { '.js': '.cjs' },
	define: { 'import.meta.url': 'moduleUrl' },
	banner: { js: "const moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
};

rmSync(out, { recursive: true, force: true });

await Promise.all([
	build({ ...runtimes, format: 'esm', splitting: true, entryPoints: ['node', 'global', 'bridge'].map(entry) }),
	build({
		...commonjs,
		entryPoints: { node: entry('node'), bridge: entry('bridge'), cli: join(root, 'bridge', 'cli.ts') },
	}),
	build({ ...commonjs, entryPoints: [entry('global')], plugins: [shareNode] }),
	build({ ...all, entryPoints: [entry('browser')], outdir: join(out, 'lib'), format: 'esm', target: 'es2022' }),
	build({
		...all,
		entryPoints: { 'aiortc-shim.global': entry('page') },
		outdir: out,
		minify: true,
		format: 'iife',
		target: 'es2022',
		legalComments: 'none',
	}),
]);

declareTypes();
copyFiles();
writePackage();

function declareTypes() {
	const options = ['--declaration', '--emitDeclarationOnly', '--noEmit', 'false', '--rewriteRelativeImportExtensions'];
	// All of the shim's, since some only add to the declarations of others.
	const files = globSync('{entries,shim}/**/*.ts', { cwd: root });
	const tsc = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'tsc.cmd' : 'tsc');
	const own = ['--ignoreConfig', '--target', 'es2023', '--module', 'nodenext', '--types', 'node', '--skipLibCheck'];
	const lib = ['--lib', 'es2023,dom,dom.iterable,dom.asynciterable,esnext.disposable', '--strict'];
	const where = ['--rootDir', root, '--outDir', join(out, 'types')];
	execFileSync(tsc, [...own, ...lib, ...options, ...where, ...files], { cwd: root, stdio: 'inherit' });
}

function copyFiles() {
	for (const name of ['README.md', 'LICENSE', 'CHANGELOG.md', 'docs']) copy(name);
	for (const name of ['aiortc_worker', 'requirements.lock']) copy(join('worker', name));
	copy(join('scripts', 'aiortc-shim.cjs'));
}

function copy(name) {
	const filter = (path) => !/__pycache__|\.pyc$/.test(path);
	cpSync(join(root, name), join(out, name), { recursive: true, filter });
}

function writePackage() {
	const { scripts: _, devDependencies: __, optionalDependencies: ___, ...kept } = readPackage();
	const needed = ([name]) => runtimes.external.includes(name);
	const dependencies = Object.fromEntries(Object.entries(kept.dependencies).filter(needed));
	const both = (name) => ({
		types: `./types/entries/${name}.d.ts`,
		import: `./lib/${name}.js`,
		require: `./lib/${name}.cjs`,
	});
	const exports = {
		'.': { browser: { types: './types/entries/browser.d.ts', default: './lib/browser.js' }, ...both('node') },
		'./global': both('global'),
		'./bridge': both('bridge'),
		'./aiortc-shim.global.js': './aiortc-shim.global.js',
		'./package.json': './package.json',
	};
	writeFileSync(join(out, 'package.json'), `${JSON.stringify({ ...kept, exports, dependencies }, null, '\t')}\n`);
}

function readPackage() {
	return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
}
