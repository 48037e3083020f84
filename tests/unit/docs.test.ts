/** What the pages for readers name is there. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DEFAULT_LIMITS } from '../../bridge/limits.ts';
import { KINDS, WORKER_OUTPUT } from '../../bridge/log/kinds.ts';

const root = path.join(import.meta.dirname, '../..');
const pages = globSync(['*.md', '{docs,bench,bridge,demo,entries,shim,tests,worker}/**/*.md'], { cwd: root });
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');
const manifest = JSON.parse(read('package.json'));

test('every page that a project has is there, and the licence is ISC', () => {
	const expected = ['README', 'CONTRIBUTING', 'CHANGELOG'].map((name) => `${name}.md`);
	const docs = ['architecture', 'protocol', 'dependencies', 'upstream'].map((name) => path.join('docs', `${name}.md`));
	assert.equal(
		[...expected, ...docs].filter((page) => !pages.includes(page)),
		[],
	);
	assert.is(manifest.license, 'ISC');
	assert.match(read('LICENSE'), /^ISC License/);
});

test('links lead somewhere', () => {
	const broken = pages.flatMap((page) =>
		[...read(page).matchAll(/\]\((?!https?:)([^)#]+)/g)]
			.map(([, target]) => target!)
			.filter((target) => !existsSync(path.join(root, path.dirname(page), target)))
			.map((target) => `${page}: ${target}`),
	);
	assert.equal(broken, []);
});

test('the files that pages name are there', () => {
	const homes = ['', 'worker', 'worker/aiortc_worker', 'worker/aiortc_worker/session', 'shim'];
	const missing = pages.flatMap((page) =>
		[...read(page).matchAll(/`([\w./-]+\/[\w.-]+\.(?:ts|cjs|mjs|py|md|json|lock|toml))`/g)]
			.map(([, file]) => file!)
			.filter((file) => ![...homes, path.dirname(page)].some((home) => existsSync(path.join(root, home, file))))
			.map((file) => `${page}: ${file}`),
	);
	assert.equal(missing, []);
});

test('every kind of line that is logged is in the page about the log, with its level, and no other', () => {
	const said = Object.entries(KINDS).map(([kind, level]) => `${kind} ${level}`);
	const worker = globSync('worker/aiortc_worker/**/*.py', { cwd: root }).map(read).join('\n');
	const workers = [...worker.matchAll(/(?:"kind": |_warn\()"([a-z-]+)"/g)].map(([, kind]) => kind!);
	const shim = globSync('shim/**/*.ts', { cwd: root }).map(read).join('\n');
	const shims = [...shim.matchAll(/\t+kind: '([a-z-]+)',\n\t+message:/g)].map(([, kind]) => kind!);
	const rows = [...read('docs/logs.md').matchAll(/^\| `([a-z-]+)` \| (debug|info|warn|error)\b/gm)];
	const levels = rows.map(([, kind, level]) => `${kind} ${level}`);
	assert.equal(
		said.filter((each) => !levels.includes(each)),
		[],
	);
	const kinds = new Set([...Object.keys(KINDS), WORKER_OUTPUT, ...workers, ...shims]);
	assert.equal(rows.map(([, kind]) => kind).sort(), [...kinds].sort());
});

test('the npm scripts that pages name exist', () => {
	const named = pages.flatMap((page) => [...read(page).matchAll(/\bnpm run ([\w-]+)/g)].map(([, name]) => name!));
	assert.ok(named.length > 0);
	assert.equal(
		named.filter((name) => !(name in manifest.scripts)),
		[],
	);
});

test('the limits of a session are those that the page has, with their defaults', () => {
	const [, table = ''] = read('docs/architecture.md').split('## What a session may take');
	const rows = [...table.split('\n## ')[0]!.matchAll(/^\| `(\w+)` \| ([\d,]+) \|/gm)];
	assert.equal(
		Object.fromEntries(rows.map(([, name, value]) => [name, Number(value!.replaceAll(',', ''))])),
		DEFAULT_LIMITS,
	);
});

test('every dependency is accounted for', () => {
	const { dependencies, devDependencies, optionalDependencies } = manifest;
	const accounted = read('docs/dependencies.md');
	const names = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies });
	const python = [...read('worker/requirements.lock').matchAll(/^(aiortc|aioice|av|msgspec|uvloop)==/gm)].map(
		([, name]) => name!,
	);
	assert.equal(
		[...names, ...python].filter((name) => !accounted.includes(name.replace(/^@types\/.*/, '@types/*'))),
		[],
	);
});

test.run();
