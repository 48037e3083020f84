import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { run, succeeds, which } from '../subprocess.ts';
import { ensureSystemPackages } from '../system-packages.ts';

type Log = (line: string) => void;

const PACKAGES = [
	'g++',
	'pkg-config',
	'meson',
	'ninja-build',
	'libuv1-dev',
	'libssl-dev',
	'libsrtp2-dev',
	'libflatbuffers-dev',
	'flatbuffers-compiler',
	'libabsl-dev',
];
const COMMANDS = ['c++', 'pkg-config', 'meson', 'ninja', 'flatc'];
const LIBRARIES = ['libuv', 'openssl', 'libsrtp2', 'flatbuffers', 'absl_strings', 'absl_optional', 'absl_memory'];

const STAND_INS = path.join(import.meta.dirname, 'stand-ins');
const STUB = '/* Nothing: the worker links the shared library, but link_whole wants a target. */\n';
const PROGRESS_INTERVAL = 10_000;

/**
 * What is changed in mediasoup's own files (in the copy). Each is a text and what takes its place.
 */
const CHANGES = [
	{
		// Debian 12 has meson 1.0.1, and the build uses nothing newer.
		file: 'meson.build',
		from: /meson_version: '>= 1\.1\.0'/,
		to: "meson_version: '>= 1.0.0'",
	},
	{
		// The BIO callback must hand back the result it is given whenever BIO_CB_RETURN is among the bits, not only when it
		// is the one bit. OpenSSL 3.0.8, which the wrap has, puts up with its 1; in Debian's 3.0.22 the first DTLS flight
		// then writes through a null pointer.
		file: 'src/RTC/DtlsTransport.cpp',
		from: /\(operationType == BIO_CB_RETURN\)/,
		to: '((operationType & BIO_CB_RETURN) != 0)',
	},
];

/**
 * Builds mediasoup-worker from the npm package's sources and the distribution's libraries, in place of those that
 * mediasoup's build would download. Written for mediasoup 3.27.1 and Debian 12.
 *
 * @param root the npm package's folder; only read
 * @param work an empty folder
 * @returns the binary's path in `work`
 */
export async function build(root: string, work: string, log: Log): Promise<string> {
	await ensureSystemPackages({ purpose: "mediasoup-worker's build", packages: PACKAGES, missing }, log);
	const sources = path.join(work, 'worker');
	const output = path.join(work, 'out');
	await cp(path.join(root, 'worker'), sources, { recursive: true });
	await placeStandIns(path.join(sources, 'subprojects'));
	await change(sources);
	log('building mediasoup-worker from source: some minutes, once');
	await run('meson', ['setup', '--buildtype', 'release', '-Db_ndebug=true', '--wrap-mode=nodownload', output, sources]);
	await run('ninja', ['-C', output, '-j', String(os.availableParallelism()), 'mediasoup-worker'], {
		env: { ...process.env, NINJA_STATUS: '[%f/%t] ' },
		onLine: seldom(log),
	});
	const binary = path.join(output, 'mediasoup-worker');
	await run('strip', [binary]);
	return binary;
}

/** A digest of what this build puts in place of mediasoup's own: another one makes another binary. */
export async function recipeDigest(): Promise<string> {
	const hash = createHash('sha256');
	for (const { file, from, to } of CHANGES) hash.update(`${file}\n${from}\n${to}\n`);
	const entries = (await readdir(STAND_INS, { recursive: true, withFileTypes: true })).filter((entry) =>
		entry.isFile(),
	);
	for (const file of entries.map((entry) => path.join(entry.parentPath, entry.name)).sort()) {
		hash.update(path.relative(STAND_INS, file)).update(await readFile(file));
	}
	return hash.digest('hex');
}

async function missing(): Promise<string | null> {
	const lacking: string[] = [];
	for (const command of COMMANDS) {
		if (!(await which(command))) lacking.push(command);
	}
	if (lacking.length > 0) return lacking.join(', ');
	for (const library of LIBRARIES) {
		if (!(await succeeds('pkg-config', ['--exists', library]))) lacking.push(library);
	}
	return lacking.length > 0 ? `development files of ${lacking.join(', ')}` : null;
}

/** meson takes the folder that a wrap names as it is where it is there already, and then downloads nothing. */
async function placeStandIns(subprojects: string): Promise<void> {
	for (const name of await readdir(STAND_INS)) {
		const wrap = await readFile(path.join(subprojects, `${name}.wrap`), 'utf8');
		const directory = /^directory *= *(\S+)/m.exec(wrap)?.[1];
		if (!directory) throw new Error(`${name}.wrap of mediasoup names no directory`);
		const target = path.join(subprojects, directory);
		await rm(target, { recursive: true, force: true });
		await mkdir(target, { recursive: true });
		await cp(path.join(STAND_INS, name), target, { recursive: true });
		await writeFile(path.join(target, 'stub.c'), STUB);
		await writeFile(path.join(target, 'stub.cpp'), STUB);
	}
}

async function change(sources: string): Promise<void> {
	for (const { file, from, to } of CHANGES) {
		const text = await readFile(path.join(sources, file), 'utf8');
		if (!from.test(text)) throw new Error(`${file} of mediasoup is not what this build was written for`);
		await writeFile(path.join(sources, file), text.replace(from, to));
	}
}

/** Passes on how far ninja is, a line each ten seconds. */
function seldom(log: Log): (line: string) => void {
	let next = 0;
	return (line) => {
		const progress = /^\[\d+\/\d+\]/.exec(line)?.[0];
		if (!progress || Date.now() < next) return;
		next = Date.now() + PROGRESS_INTERVAL;
		log(`${progress} compiling mediasoup-worker`);
	};
}
