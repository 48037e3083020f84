import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { which } from '../../../bridge/interpreter.ts';
import { startBridge } from '../../../bridge/server.ts';
import { childrenOf, isAlive, within } from '../bridge/processes.ts';
import { FakeMachine, resultOf } from './FakeMachine.ts';

const test = suite<{ machine: FakeMachine }>('setup');

test.before.each((context) => {
	context.machine = new FakeMachine();
});
test.after.each(({ machine }) => machine.remove());

/** The folder of the environment. */
function place(machine: FakeMachine): string {
	const folder = join(machine.cache, 'aiortc-shim');
	return join(folder, readdirSync(folder).find((name) => /^python-\w+$/.test(name))!);
}

test('the first start makes the environment, with progress; the second finds it and says nothing', async ({
	machine,
}) => {
	machine.python('python3');
	const first = await machine.run();
	assert.is(first.code, 0);
	assert.match(first.lines[0]!, /^making the Python environment with pip, once, in .*cache\/aiortc-shim\/python-/);
	assert.match(first.lines[1]!, /^the Python environment is ready \(\d+ s\)$/);
	assert.is(first.stdout, join(place(machine), 'bin/python'));

	assert.equal(await machine.run(), { code: 0, stdout: first.stdout, lines: [] });
	assert.is(machine.count('pip'), 1);
});

/** Says that a test could not be run here: this user may mount no disk that is full. */
function passOver(what: string): void {
	console.log(`note: passed over, since nothing can be mounted here: ${what}`);
}

test('a disk that is full is told though the step that filled it does not say so', async ({ machine }) => {
	machine.python('python3', { venv: 'Error: Command ensurepip returned non-zero exit status 1.' });
	for (const [options, sentence] of [
		['size=4k', /^the disk is full: free 400 MB for .*XDG_CACHE_HOME/],
		['size=100m,nr_inodes=3', /^the disk is full: free 400 MB for .*XDG_CACHE_HOME/],
		['size=100m', /^python -m venv failed \(Error: Command ensurepip /],
	] as const) {
		const result = await machine.runOn(machine.cache, options);
		if (!result) return passOver('a full cache');
		assert.is(result.code, 1);
		assert.is(result.lines.length, 2, result.lines.join('\n'));
		assert.match(result.lines[1]!, sentence);
	}
});

test('a disk that is full by the end of the set-up is told', async ({ machine }) => {
	machine.python('python3');
	// The disk, the cache, its lock, the environment, its folder and its interpreter: nothing for the marker.
	const result = await machine.runOn(machine.cache, 'nr_inodes=6');
	if (!result) return passOver('a full cache');
	assert.equal([result.code, result.lines.length], [1, 2], result.lines.join('\n'));
	assert.match(result.lines[1]!, /^the disk is full: free 400 MB for .*XDG_CACHE_HOME/);
});

/** The message of an error in the bridge's log; empty when the line is none. */
const logged = (line: string) => /^\S+Z error (.*)$/.exec(line)?.[1] ?? '';

test('a folder for temporary files that is not there, or is none, is one sentence', async ({ machine }) => {
	machine.python('python3');
	const AIORTC_SHIM_PYTHON = join(machine.bin, 'python3');
	for (const TMPDIR of ['/none/such', AIORTC_SHIM_PYTHON]) {
		const { code, stdout, lines } = await machine.run(['bridge'], { AIORTC_SHIM_PYTHON, TMPDIR });
		assert.equal([code, stdout], [1, '']);
		assert.equal(lines.map(logged), [`${TMPDIR} is not a folder: make it, or let TMPDIR name one for temporary files`]);
	}
	const { lines } = await machine.run(['bridge'], { AIORTC_SHIM_PYTHON, TMPDIR: '/proc' });
	assert.is(lines.length, 1);
	assert.match(
		logged(lines[0]!),
		/^cannot write \/proc \(.*\): make it writable, or let TMPDIR name a folder that is$/,
	);
});

test('a full disk of temporary files is one sentence, for the folder as for the socket in it', async ({ machine }) => {
	const full = /^the disk of temporary files is full: free some of \/.*, or let TMPDIR name a folder on another disk$/;
	machine.command('python3', 'echo "Traceback\nOSError: [Errno 28] No space left on device" >&2; exit 1');
	const env = { AIORTC_SHIM_PYTHON: join(machine.bin, 'python3') };
	const socket = await machine.run(['bridge'], env);
	assert.equal([socket.code, socket.lines.length], [1, 1]);
	assert.match(logged(socket.lines[0]!), full);

	const TMPDIR = join(machine.bin, 'tmp');
	const folder = await machine.runOn(TMPDIR, 'nr_inodes=1', ['bridge'], { ...env, TMPDIR });
	if (!folder) return passOver('a full TMPDIR');
	assert.equal([folder.code, folder.lines.length], [1, 1]);
	assert.match(logged(folder.lines[0]!), full);
	assert.match(folder.lines[0]!, TMPDIR);
});

test('uv is used where it works', async ({ machine }) => {
	machine.python('python3', { version: '3 12 0 0' });
	machine.command(
		'uv',
		`case "$1" in --version) ;; venv) for last; do :; done; mkdir -p "$last/bin"; cp '${machine.bin}/python3' "$last/bin/python" ;; esac`,
	);
	const { code, lines } = await machine.run();
	assert.is(code, 0);
	assert.match(lines[0]!, /with uv/);
});

test('the newest Python is chosen; what is called so and does not run, or is a broken uv, is passed over', async ({
	machine,
}) => {
	machine.command('python3.14', 'echo "pyenv: python3.14: command not found" >&2; exit 127');
	machine.command('uv', 'exit 127');
	machine.python('python3.12');
	machine.python('python3', { version: '3 9 2 1' });
	assert.is((await machine.run()).code, 0);
});

test('setup --compile compiles once, and says where; a folder is there whole or not at all', async ({ machine }) => {
	machine.python('python3');
	const first = await machine.run(['setup', '--compile']);
	assert.is(first.code, 0, first.lines.join());
	const [, folder] = first.stdout.split('\n') as [string, string];
	assert.match(folder, /cache\/aiortc-shim\/native-\w+$/);
	assert.ok(existsSync(join(folder, 'aiortc_worker')));
	assert.equal(await machine.run(['setup', '--compile']), { code: 0, stdout: first.stdout, lines: [] });
	assert.is(machine.count('compile'), 1);
	assert.match((await machine.run(['doctor'])).stdout, /, compiled/);
});

for (const [what, fake, sentence] of [
	[
		'a C compiler that is not there',
		{ compiler: "error: command 'gcc' failed: No such file or directory" },
		/apt install gcc python3-dev/,
	],
	['a fault of the compiler', { compiler: 'error: internal' }, /^compiling failed \(error: internal\)/],
	[
		'a Python that does not take what was compiled',
		{ takesCompiled: false },
		/does not take what was compiled \(association.py\)/,
	],
] as const) {
	test(`setup --compile names ${what}, and leaves nothing`, async ({ machine }) => {
		machine.python('python3', fake);
		const { code, lines } = await machine.run(['setup', '--compile']);
		assert.is(code, 1);
		assert.match(lines.at(-1)!, sentence);
		assert.equal(
			readdirSync(join(machine.cache, 'aiortc-shim')).filter((name) => name.startsWith('native')),
			[],
		);
	});
}

test('without Python, one sentence says what to install', async ({ machine }) => {
	const { code, lines } = await machine.run();
	assert.is(code, 1);
	assert.is(lines.length, 1);
	assert.match(
		lines[0]!,
		/^Python >= 3\.11 is needed, found none: install it \(Debian: apt install python3 python3-venv;/,
	);
});

test('an older Python is named with its version', async ({ machine }) => {
	machine.python('python3', { version: '3 9 2 1' });
	const { code, lines } = await machine.run();
	assert.is(code, 1);
	assert.is(lines.length, 1);
	assert.match(lines[0]!, /found only .*\/bin\/python3 \(3\.9\.2\): install it/);
});

test('without ensurepip, one sentence says which package has it', async ({ machine }) => {
	machine.python('python3', { version: '3 11 2 0' });
	const { code, lines } = await machine.run();
	assert.is(code, 1);
	assert.is(lines.length, 1);
	assert.match(lines[0]!, /\/bin\/python3 cannot make virtual environments: .*apt install python3-venv/);
});

const faults: [what: string, output: string, sentence: RegExp][] = [
	[
		'no network',
		'ERROR: Could not find a version that satisfies the requirement aiortc (from versions: none)',
		/could not be downloaded \(pip install\): connect to the network/,
	],
	[
		'a full disk',
		'ERROR: Could not install packages: [Errno 28] No space left on device',
		/the disk is full: free 400 MB for .*XDG_CACHE_HOME/,
	],
	[
		'a package that is not the one of the lock',
		'ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE',
		/not the one that .*worker\/requirements\.lock names .*check the mirror/,
	],
	[
		'anything else',
		'ERROR: the moon is in the wrong phase',
		/pip install failed \(ERROR: the moon is in the wrong phase\): correct that/,
	],
];
for (const [what, output, sentence] of faults) {
	test(`${what} is one sentence, and the next start begins anew`, async ({ machine }) => {
		machine.python('python3', { pip: output });
		const { code, lines } = await machine.run();
		assert.is(code, 1);
		assert.is(lines.length, 2);
		assert.match(lines[1]!, sentence);

		machine.python('python3');
		assert.is((await machine.run()).code, 0);
	});
}

test('a venv that Debian has cut short is the same missing package', async ({ machine }) => {
	machine.python('python3', {
		venv: 'The virtual environment was not created successfully because ensurepip is not available.',
	});
	assert.match((await machine.run()).lines[1]!, /apt install python3-venv/);
});

test('a cache that cannot be written is one sentence', async ({ machine }) => {
	machine.python('python3');
	writeFileSync(machine.cache, 'a file where a folder should be');
	const { code, lines } = await machine.run();
	assert.is(code, 1);
	assert.is(lines.length, 1);
	assert.match(lines[0]!, /XDG_CACHE_HOME/);
});

test('an environment whose Python is gone, or that was cut short, is made anew', async ({ machine }) => {
	machine.python('python3');
	await machine.run();
	unlinkSync(join(place(machine), 'bin/python'));
	assert.is((await machine.run()).code, 0);
	assert.is(machine.count('pip'), 2);

	rmSync(join(place(machine), 'complete.json'));
	assert.is((await machine.run()).code, 0);
	assert.is(machine.count('pip'), 3);
});

test('setup finds an environment that lacks a package, and makes it anew', async ({ machine }) => {
	machine.python('python3', { fault: 'it lacks av==18.1.0' });
	const broken = await machine.run();
	assert.is(broken.code, 1);
	assert.match(broken.lines.at(-1)!, /is broken \(it lacks av==18\.1\.0\): delete that folder/);

	machine.python('python3');
	assert.is((await machine.run()).code, 0);
});

test('a bridge repairs an environment that its worker cannot start in', async ({ machine }) => {
	machine.python('python3', { fault: 'it lacks av==18.1.0' });
	await machine.run();
	const before = machine.count('pip');
	const { code, lines } = await machine.run(['bridge']);
	assert.is(code, 1);
	assert.is(machine.count('pip'), before + 1);
	assert.ok(lines.some((line) => /Z info {2}the Python environment is ready/.test(line)));
});

test('two starts at once make it once: the second waits, and says so', async ({ machine }) => {
	machine.python('python3', { takes: 1 });
	const results = await Promise.all([machine.run(), machine.run()]);
	assert.equal(
		results.map(({ code }) => code),
		[0, 0],
	);
	assert.is(machine.count('pip'), 1);
	const waited = results.flatMap(({ lines }) => lines).filter((line) => line.includes('waiting for it'));
	assert.equal(waited, ['another start is making the Python environment: waiting for it']);
});

test('a set-up that is killed takes its installer with it', async ({ machine }) => {
	// The supervisor is Python; the real one.
	const real = which('python3').find((path) => spawnSync(path, ['-c', '']).status === 0)!;
	machine.command('python3', `exec '${real}' "$@"`);
	machine.command('uv', 'case "$1" in --version) ;; *) sleep 60 ;; esac');
	const setup = machine.start();
	const descendants = () =>
		childrenOf(setup.pid).flatMap((pid) => [pid, ...childrenOf(pid).flatMap((each) => [each, ...childrenOf(each)])]);
	assert.ok(await within(5000, () => descendants().length === 3));
	const left = descendants();
	setup.kill('SIGKILL');
	await once(setup, 'exit');
	assert.ok(await within(2000, () => left.every((pid) => !isAlive(pid))));
});

test('AIORTC_SHIM_PYTHON is used as it is, or told from what is wrong with it', async ({ machine }) => {
	machine.python('mine');
	assert.equal(await machine.run(['setup'], { AIORTC_SHIM_PYTHON: 'mine' }), {
		code: 0,
		stdout: join(machine.bin, 'mine'),
		lines: [],
	});
	assert.not.ok(existsSync(machine.cache));

	machine.python('bare', { fault: 'it lacks aiortc==1.16.0' });
	const bare = await machine.run(['setup'], { AIORTC_SHIM_PYTHON: join(machine.bin, 'bare') });
	assert.is(bare.code, 1);
	assert.match(bare.lines[0]!, /^AIORTC_SHIM_PYTHON is .*bare, but it lacks aiortc==1\.16\.0: install/);

	const missing = await machine.run(['setup'], { AIORTC_SHIM_PYTHON: '/nonexistent' });
	assert.equal(missing.lines, ['AIORTC_SHIM_PYTHON is /nonexistent, which does not exist: correct or unset it']);
});

test('doctor says what is missing, and with which status', async ({ machine }) => {
	machine.python('python3', { version: '3 9 2 1' });
	const lacking = await machine.run(['doctor']);
	assert.is(lacking.code, 1);
	assert.match(lacking.stdout, /^FAIL {2}environment: not made yet: run npx aiortc-shim setup, /m);
	assert.match(lacking.stdout, /^FAIL {2}python: .*3\.9\.2/m);
	assert.match(lacking.stdout, /^ok {4}cache: \/.*\/aiortc-shim$/m);

	machine.python('python3');
	await machine.run();
	assert.is((await machine.run(['doctor'])).code, 0);
});

test('a cache where nothing can be made is one sentence, too', async ({ machine }) => {
	machine.python('python3');
	const { code, lines } = await machine.run(['setup'], { XDG_CACHE_HOME: '/proc' });
	assert.is(code, 1);
	assert.match(lines.at(-1)!, /^cannot write \/proc\/aiortc-shim: make it writable, or let XDG_CACHE_HOME name/);
});

test('doctor asks the bridge that AIORTC_SHIM_URL names', async ({ machine }) => {
	const bridge = await startBridge({ workers: 1, spares: 0, capabilities: ['url'] });
	await bridge.ready;
	const named = { AIORTC_SHIM_URL: bridge.url, AIORTC_SHIM_TOKEN: bridge.token };
	const found = await machine.run(['doctor'], named);
	assert.match(found.stdout, /^ok {4}bridge: aiortc \S+, the token allows url \(AIORTC_SHIM_URL is ws:\S+\)$/m);
	assert.is(found.code, 0);
	const wrong = await machine.run(['doctor'], { ...named, AIORTC_SHIM_TOKEN: 'another' });
	assert.match(wrong.stdout, /^FAIL {2}bridge: the token is wrong/m);
	assert.is(wrong.code, 1);
	await bridge.close();
	const dead = await machine.run(['doctor'], named);
	assert.match(dead.stdout, /^FAIL {2}bridge: no bridge could be reached at ws:\S+: start one with .*, or unset/m);
	assert.is(dead.code, 1);
});

test('the command says its version', async ({ machine }) => {
	const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8'));
	assert.equal(await machine.run(['--version']), { code: 0, stdout: version, lines: [] });
});

test('doctor says when the cache cannot be written', async ({ machine }) => {
	machine.python('python3');
	writeFileSync(machine.cache, 'a file where a folder should be');
	const { code, stdout } = await machine.run(['doctor']);
	assert.is(code, 1);
	assert.match(stdout, /^FAIL {2}cache: cannot write .*XDG_CACHE_HOME/m);
	assert.match(stdout, /^ok {4}python: /m);
});

test('an empty folder at the place, as an interrupted removal leaves it, is no obstacle', async ({ machine }) => {
	machine.python('python3');
	const { stdout } = await machine.run();
	rmSync(join(stdout, '../..'), { recursive: true });
	mkdirSync(join(stdout, '../..'));
	assert.is((await resultOf(machine.start())).code, 0);
});

test.run();
