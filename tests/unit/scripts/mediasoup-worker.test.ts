import { execFileSync, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { download } from '../../../scripts/mediasoup-worker/download.ts';
import { runsHere } from '../../../scripts/mediasoup-worker/probe.ts';
import { ensureMediasoupWorker } from '../../../scripts/mediasoup-worker.ts';
import { run } from '../../../scripts/subprocess.ts';
import { ensureSystemPackages } from '../../../scripts/system-packages.ts';

const RUNS = '#!/bin/sh\nexit 41\n';
const mediasoup = { version: '3.0.0', repository: 'http://unused.example' };

let folder: string;
const environment = { ...process.env };
const { getuid } = process;

test.before.each(async () => {
	folder = await mkdtemp(path.join(os.tmpdir(), 'mediasoup-worker-test-'));
});

test.after.each(async () => {
	process.env = { ...environment };
	process.getuid = getuid;
	await rm(folder, { recursive: true });
});

test('a prebuilt worker is fetched, unpacked and tried', async () => {
	const { asked, made, log } = await serve(await archive(RUNS));
	assert.match(asked[0]!, /^\/3\.0\.0\/mediasoup-worker-3\.0\.0-\w+-\w+(-kernel\d+)?\.tgz$/);
	assert.is(await readFile(made!, 'utf8'), RUNS);
	assert.equal(log, ["fetching mediasoup's prebuilt worker"]);
});

test('a prebuilt worker that does not run here is not taken', async () => {
	const { made, log } = await serve(await archive('#!/bin/sh\nexit 127\n'));
	assert.is(made, null);
	assert.is(log.at(-1), 'the prebuilt worker does not run on this machine');
});

test('no prebuilt worker for this machine, or no server, is said in a line', async () => {
	const missing = await serve(null);
	assert.is(missing.made, null);
	assert.is(missing.log.at(-1), 'no prebuilt worker: the server answered 404');
	process.env.MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL = 'http://127.0.0.1:1';
	const log: string[] = [];
	assert.is(await download(mediasoup, folder, (line) => log.push(line)), null);
	assert.match(log.at(-1)!, /^no prebuilt worker: .+/);
});

test('MEDIASOUP_WORKER_BIN is taken as it is, and refused when it is no executable', async () => {
	const file = path.join(folder, 'worker');
	process.env.MEDIASOUP_WORKER_BIN = file;
	const refused = await ensureMediasoupWorker().catch((error) => error.message);
	assert.is(refused, `MEDIASOUP_WORKER_BIN names ${file}, which is not an executable file`);
	await writeFile(file, RUNS, { mode: 0o755 });
	assert.is(await ensureMediasoupWorker(), file);
});

test('two callers at once share one download; later ones take it from the cache', async () => {
	const body = await archive(RUNS);
	let asked = 0;
	const server = createServer((_request, response) => {
		asked++;
		setTimeout(() => response.writeHead(200).end(body), 3_000);
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	try {
		const both = await Promise.all([ensureElsewhere(base), ensureElsewhere(base)]);
		assert.is(both[0].path, both[1].path);
		assert.ok(both[0].path.startsWith(path.join(folder, 'cache', 'aiortc-shim', 'mediasoup-worker')));
		assert.is(asked, 1);
		const said = both.map(({ progress }) => progress).join('');
		assert.match(said, /fetching mediasoup's prebuilt worker\n/);
		assert.match(said, /waiting for another process that makes mediasoup-worker\n/);
		assert.equal(await ensureElsewhere('http://127.0.0.1:1'), { path: both[0].path, progress: '' });
	} finally {
		server.close();
	}
});

test('without a prebuilt worker it is built, once what that needs is there', async () => {
	// No compiler is in this PATH, nor an apt-get to bring one.
	const { path: made, progress } = await ensureElsewhere('http://127.0.0.1:1', { PATH: folder });
	assert.is(made, '');
	assert.match(progress, /no prebuilt worker: .*/);
	assert.match(
		progress,
		/mediasoup-worker's build needs c\+\+, pkg-config, meson, ninja, flatc; on Debian these packages/,
	);
});

test('a file that is no worker, or none at all, does not run here', async () => {
	assert.is(await runsHere(path.join(folder, 'none')), false);
	assert.is(await runsHere(process.execPath), false);
});

test('packages that are there are not asked for; others are, in a line', async () => {
	const request = { purpose: 'the test', packages: ['libone-dev', 'two'] };
	await ensureSystemPackages({ ...request, missing: async () => null }, assert.unreachable);
	process.env.PATH = folder;
	const refused = ensureSystemPackages({ ...request, missing: async () => 'one.h' }, assert.unreachable);
	const message = await refused.catch((error) => error.message);
	assert.is(message, 'the test needs one.h; on Debian these packages have it: libone-dev two');
	await writeFile(path.join(folder, 'apt-get'), '', { mode: 0o755 });
	process.getuid = () => 1000;
	const toCopy = ensureSystemPackages({ ...request, missing: async () => 'one.h' }, assert.unreachable);
	const line = await toCopy.catch((error) => error.message);
	assert.is(line, 'the test needs one.h. Run: sudo apt-get install -y libone-dev two');
});

test('root on Debian has them installed, after fetching the lists when a package cannot be had', async () => {
	process.getuid = () => 0;
	const bin = path.join(folder, 'bin');
	await mkdir(bin);
	const record = path.join(folder, 'record');
	// This apt-get finds the package once the lists are new.
	const aptGet = `#!/bin/sh\nfor word; do last=$word; done\necho "$last" >> ${record}\n[ "$last" = update ] && exit 0\n/bin/grep -q update ${record}\n`;
	await writeFile(path.join(bin, 'apt-get'), aptGet, { mode: 0o755 });
	process.env.PATH = bin;
	const installed = async () =>
		(await readFile(record, 'utf8').catch(() => '')).endsWith('update\nnew\n') ? null : 'it';
	await ensureSystemPackages({ purpose: 'the test', packages: ['new'], missing: installed }, () => {});
});

test('a command that fails says how, with the end of its output', async () => {
	const failing = run('/bin/sh', ['-c', 'echo first; echo last >&2; exit 3']);
	assert.match(await failing.catch((error) => error.message), /^\/bin\/sh ended with 3:\n(first\nlast|last\nfirst)$/);
});

/** Asks in a process of its own, whose cache is in the test's folder. */
async function ensureElsewhere(base: string, env: NodeJS.ProcessEnv = {}) {
	const script = path.join(import.meta.dirname, '../../../scripts/mediasoup-worker.ts');
	const child = spawn(process.execPath, [script], {
		env: {
			...environment,
			MEDIASOUP_WORKER_BIN: '',
			MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL: base,
			XDG_CACHE_HOME: path.join(folder, 'cache'),
			...env,
		},
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	const [output, progress] = await Promise.all([text(child.stdout), text(child.stderr)]);
	return { path: output.trim(), progress };
}

async function archive(program: string): Promise<Buffer> {
	const content = path.join(folder, 'content');
	await mkdir(content);
	await writeFile(path.join(content, 'mediasoup-worker'), program);
	await chmod(path.join(content, 'mediasoup-worker'), 0o755);
	return execFileSync('tar', ['-czf', '-', '-C', content, 'mediasoup-worker']);
}

/** Downloads from a server that has that archive, or none. */
async function serve(body: Buffer | null): Promise<{ asked: string[]; made: string | null; log: string[] }> {
	const asked: string[] = [];
	const server = createServer((request, response) => {
		asked.push(request.url!);
		response.writeHead(body ? 200 : 404).end(body ?? undefined);
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	process.env.MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const log: string[] = [];
	try {
		return { asked, made: await download(mediasoup, folder, (line) => log.push(line)), log };
	} finally {
		server.close();
	}
}

test.run();
