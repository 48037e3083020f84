/**
 * Brings the web platform tests: `node scripts/run.cjs scripts/get-wpt.ts` prints the folder that they are in.
 *
 * They are those that Firefox ESR 140 carries, so that figures stay comparable: a sparse clone of its repository where
 * GitHub can be reached, else Debian's source package of Thunderbird, which is made of the same sources. Either is
 * cached for the user; WPT_DIR names a checkout to use instead.
 */
import { existsSync, globSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import envPaths from 'env-paths';
import lockfile from 'proper-lockfile';
import { run, succeeds, which } from './subprocess.ts';

type Log = (line: string) => void;

const REPOSITORY = 'https://github.com/mozilla-firefox/firefox.git';
const BRANCH = 'esr140';
const PACKAGE = 'thunderbird';
/** Of the package's versions, the one of the same sources: security updates bring newer ones. */
const VERSION = /\b1:140\.\S+/;
/** Where in either the tests are. */
const BELOW = 'testing/web-platform/tests';
const REACHABLE_MS = 20_000;
const LOCK = { stale: 20_000, update: 5_000 };

/** The tests with the files they lean on; nothing else is fetched or unpacked. */
const FOLDERS = [
	'resources',
	'common',
	'media',
	'interfaces',
	'webrtc',
	'webrtc-encoded-transform',
	'webrtc-extensions',
	'webrtc-ice',
	'webrtc-identity',
	'webrtc-priority',
	'webrtc-stats',
	'webrtc-svc',
	'mediacapture-insertable-streams',
	'mediacapture-record',
	'mediacapture-streams',
];

/**
 * The folder of the tests, brought there first if need be; one process does, others wait.
 *
 * @throws an Error that says in one sentence what to do
 */
export async function ensureTests(log: Log = console.error): Promise<string> {
	const { WPT_DIR } = process.env;
	if (WPT_DIR) {
		if (existsSync(path.join(WPT_DIR, 'resources/testharness.js'))) return WPT_DIR;
		throw new Error(`WPT_DIR is ${WPT_DIR}, where no web platform tests are`);
	}
	const cache = envPaths('aiortc-shim', { suffix: '' }).cache;
	const folder = path.join(cache, 'wpt', BRANCH);
	if (existsSync(folder)) return folder;
	await mkdir(path.dirname(folder), { recursive: true });
	const release = await lockfile.lock(path.dirname(folder), {
		...LOCK,
		retries: { retries: 1_800, factor: 1, minTimeout: 1_000 },
	});
	try {
		if (!existsSync(folder)) await bring(folder, log);
		return folder;
	} finally {
		await release();
	}
}

/** The folder appears under its name whole or not at all. */
async function bring(folder: string, log: Log): Promise<void> {
	const work = `${folder}.work`;
	await rm(work, { recursive: true, force: true });
	await mkdir(work, { recursive: true });
	try {
		await rename((await clone(work, log)) ?? (await unpack(work, log)), folder);
		log(`the web platform tests are in ${folder}`);
	} finally {
		await rm(work, { recursive: true, force: true });
	}
}

/** From GitHub, or null where that cannot be reached. */
async function clone(work: string, log: Log): Promise<string | null> {
	if (!(await which('git'))) return null;
	const env = { ...process.env, GIT_TERMINAL_PROMPT: '0' };
	const listing = ['ls-remote', '--exit-code', REPOSITORY, BRANCH];
	if (!(await succeeds('git', listing, { env, timeout: REACHABLE_MS }))) return null;
	log(`cloning the web platform tests from ${REPOSITORY}`);
	const repository = path.join(work, 'repository');
	const shallow = ['--depth', '1', '--filter=blob:none', '--sparse', '--branch', BRANCH];
	await run('git', ['clone', '--quiet', ...shallow, REPOSITORY, repository], { env });
	const wanted = FOLDERS.map((name) => `${BELOW}/${name}`);
	await run('git', ['-C', repository, 'sparse-checkout', 'set', ...wanted], { env });
	return path.join(repository, BELOW);
}

/** From Debian's source package: 800 MB are fetched, of which 5 MB stay. */
async function unpack(work: string, log: Log): Promise<string> {
	if (!(await which('apt-get'))) {
		throw new Error(`The web platform tests need GitHub or Debian's sources; set WPT_DIR to a checkout of them`);
	}
	log(
		`GitHub is out of reach: fetching the web platform tests with Debian's sources of ${PACKAGE}, 800 MB, some minutes`,
	);
	const apt = await privateApt();
	try {
		await run('apt-get', [...apt.options, '-qq', 'update']);
		let version = '';
		const find = (line: string) => {
			version ||= VERSION.exec(line)?.[0] ?? '';
		};
		await run('apt-cache', [...apt.options, 'madison', PACKAGE], { onLine: find });
		if (!version) throw new Error(`Debian's sources have no ${PACKAGE} ${VERSION}; set WPT_DIR to a checkout`);
		const download = ['source', '--download-only', '--tar-only', `${PACKAGE}=${version}`];
		await run('apt-get', [...apt.options, '-qq', ...download], { cwd: apt.folder });
		const archive = globSync(`${PACKAGE}_*.orig.tar.xz`, { cwd: apt.folder })[0]!;
		log(`unpacking ${archive}`);
		const tests = path.join(work, 'tests');
		await mkdir(tests);
		const wanted = FOLDERS.map((name) => `*/${BELOW}/${name}/*`);
		const options = ['--strip-components=4', '-C', tests, '--wildcards', ...wanted];
		await run('tar', ['xJf', path.join(apt.folder, archive), ...options]);
		return tests;
	} finally {
		await rm(apt.folder, { recursive: true, force: true });
	}
}

/** An apt state of our own with source packages on, so that the machine's stays as it is. */
async function privateApt(): Promise<{ folder: string; options: string[] }> {
	const folder = await mkdtemp(path.join(tmpdir(), 'aiortc-shim-wpt-'));
	const sources = path.join(folder, 'sources');
	await mkdir(path.join(folder, 'lists', 'partial'), { recursive: true });
	await mkdir(sources);
	for (const name of await readdir('/etc/apt/sources.list.d').catch(() => [])) {
		if (!name.endsWith('.sources')) continue;
		const text = await readFile(path.join('/etc/apt/sources.list.d', name), 'utf8');
		await writeFile(path.join(sources, name), text.replace(/^Types:.*/gm, 'Types: deb-src'));
	}
	const settings = [
		'Dir::Etc::sourcelist=/dev/null',
		`Dir::Etc::sourceparts=${sources}`,
		`Dir::State::lists=${path.join(folder, 'lists')}`,
		'APT::Sandbox::User=root',
		'Acquire::Retries=3',
	];
	return { folder, options: settings.flatMap((setting) => ['-o', setting]) };
}

if (import.meta.main) console.log(await ensureTests());
