/**
 * Writes what is published into dist/, a package of its own: `npm run pack` packs it, `npm publish ./dist` publishes it.
 * The sources need no build: they run as they are wherever TypeScript does, which in node_modules is nowhere.
 *
 *     node scripts/run.cjs esbuild.config.mjs [folder]
 */

import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { build } from 'esbuild';
import { PAGE_SCRIPT, PAGES } from './scripts/page-script.ts';

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
	external: ['ws', 'proper-lockfile', 'pino'],
	outdir: join(out, 'lib'),
};

/** CommonJS has no shared chunks: `global` takes the classes of `node`, or a program would have two of each. */
const shareNode = {
	name: 'share-node',
	setup({ onResolve }) {
		onResolve({ filter: /^\.\/node\.ts$/ }, () => ({ path: './node.cjs', external: true }));
	},
};

const modules = { format: 'esm', splitting: true, outExtension: { '.js': '.mjs' } };

const commonjs = {
	...runtimes,
	format: 'cjs',
	outExtension: { '.js': '.cjs' },
	define: { 'import.meta.url': 'moduleUrl' },
	banner: { js: "const moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
};

rmSync(out, { recursive: true, force: true });

await Promise.all([
	build({ ...runtimes, ...modules, entryPoints: ['node', 'global', 'bridge'].map(entry) }),
	build({
		...commonjs,
		entryPoints: { node: entry('node'), bridge: entry('bridge'), cli: join(root, 'bridge', 'cli.ts') },
	}),
	build({ ...commonjs, entryPoints: [entry('global')], plugins: [shareNode] }),
	build({ ...PAGES, ...modules, entryPoints: [entry('browser'), entry('page')], outdir: join(out, 'lib') }),
	build({ ...PAGE_SCRIPT, outdir: out }),
]);

writeTypes();
copyFiles();
writePackage();

/**
 * The declarations twice: those of a module may not stand for CommonJS, nor the other way round, and which a file is
 * the package.json of its folder says.
 */
function writeTypes() {
	const declarations = declare();
	for (const type of ['module', 'commonjs']) {
		const folder = join(out, 'types', type);
		for (const [name, text] of declarations) {
			mkdirSync(dirname(join(folder, name)), { recursive: true });
			writeFileSync(join(folder, name), text);
		}
		writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ type })}\n`);
	}
	writeFileSync(join(out, 'aiortc-shim.global.d.ts'), 'export {};\n');
}

/** Names and texts of all declarations. */
function declare() {
	const folder = mkdtempSync(join(tmpdir(), 'aiortc-shim-types-'));
	try {
		const options = ['--ignoreConfig', '--declaration', '--emitDeclarationOnly', '--rewriteRelativeImportExtensions'];
		const language = ['--target', 'es2023', '--module', 'nodenext', '--strict', '--types', 'node', '--skipLibCheck'];
		const lib = ['--lib', 'es2023,dom,dom.iterable,dom.asynciterable,esnext.disposable'];
		const where = ['--rootDir', root, '--outDir', folder];
		const files = globSync('entries/*.ts', { cwd: root });
		const tsc = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'tsc.cmd' : 'tsc');
		execFileSync(tsc, [...options, ...language, ...lib, ...where, ...files], { cwd: root, stdio: 'inherit' });
		return globSync('**/*.d.ts', { cwd: folder }).map((name) => [name, readDeclaration(join(folder, name))]);
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

/** tsc rewrites the imports of what it compiles, and leaves those of declarations, which then need a newer tsc. */
function readDeclaration(file) {
	return readFileSync(file, 'utf8').replace(/((?:from |import\(|import )["']\.[^"']*)\.ts(["'])/g, '$1.js$2');
}

function copyFiles() {
	for (const name of ['README.md', 'LICENSE', 'CHANGELOG.md', 'docs']) copy(name);
	for (const name of ['aiortc_worker', 'compile.py', 'requirements.lock', 'requirements-compile.lock'])
		copy(join('worker', name));
	copy(join('scripts', 'aiortc-shim.cjs'));
}

function copy(name) {
	const filter = (path) => !/__pycache__|\.pyc$/.test(path);
	cpSync(join(root, name), join(out, name), { recursive: true, filter });
}

/** The checkout's package.json, with what leads to files of dist/ and without what is for development. */
function writePackage() {
	const development = ['private', 'type', 'scripts', 'devDependencies', 'optionalDependencies'];
	const kept = Object.entries(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))).filter(
		([name]) => !development.includes(name),
	);
	const { dependencies, ...fields } = Object.fromEntries(kept);
	const needed = Object.entries(dependencies).filter(([name]) => runtimes.external.includes(name));
	const published = {
		...fields,
		type: 'commonjs',
		main: './lib/node.cjs',
		types: typesOf('node', 'commonjs'),
		exports: {
			'.': both('node', 'browser'),
			'./global': both('global', 'page'),
			'./bridge': both('bridge'),
			'./aiortc-shim.global.js': './aiortc-shim.global.js',
			'./package.json': './package.json',
		},
		// For TypeScript that resolves as Node 10 did, which knows no `exports`.
		typesVersions: { '*': { global: [typesOf('global', 'commonjs')], bridge: [typesOf('bridge', 'commonjs')] } },
		// An import of `global` is for its effect, and the others bind their classes to sessions.
		sideEffects: true,
		dependencies: Object.fromEntries(needed),
	};
	writeFileSync(join(out, 'package.json'), `${JSON.stringify(published, null, '\t')}\n`);
}

/** Where an import leads: to `page` for a page's bundle, else to `name`. */
function both(name, page) {
	const browser = page && { browser: { types: typesOf(page, 'module'), default: `./lib/${page}.mjs` } };
	return {
		...browser,
		import: { types: typesOf(name, 'module'), default: `./lib/${name}.mjs` },
		require: { types: typesOf(name, 'commonjs'), default: `./lib/${name}.cjs` },
	};
}

function typesOf(name, type) {
	return `./types/${type}/entries/${name}.d.ts`;
}
