/** What a shim is beside its classes: readiness, loss, codecs, capabilities, a log, and an end that leaves nothing. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { which } from '../../../bridge/interpreter.ts';
import { startBridge } from '../../../bridge/server.ts';
import { createShim } from '../../../entries/node.ts';
import type { LogRecord } from '../../../shim/link/log.ts';
import { childrenOf } from '../bridge/processes.ts';
import { CONNECT, runScript, start } from './script.ts';

/** What a process has open; files that modules are loaded from are none of ours. */
const RESOURCES = `
	import { createHook } from 'node:async_hooks';
	import { createShim } from 'aiortc-shim';
	import { childrenOf, socketFolders } from './tests/integration/bridge/processes.ts';
	// Both outputs have pipes once they are looked at.
	console.log('begin', process.stderr.fd);
	// Timers that keep the process alive are resources; these are all.
	const timers = new Set();
	const destroyed = async () => { for (let n = 0; n < 3; n++) await new Promise(setImmediate); };
	createHook({
		init: (id, type) => type === 'Timeout' && timers.add(id),
		destroy: (id) => timers.delete(id),
	}).enable();
	const counts = () => JSON.stringify({
		timers: timers.size,
		resources: process.getActiveResourcesInfo().filter((name) => !/Req/.test(name)).sort(),
		children: childrenOf().length,
		folders: socketFolders().length,
		listeners: process.eventNames().map((name) => [name, process.listenerCount(name)]),
	});
`;

for (const [how, options] of [
	['the embedded bridge', ''],
	['a bridge that is named', '{ url: process.env.NAMED_URL, token: process.env.NAMED_TOKEN }'],
] as const) {
	test(`a shim over ${how} leaves no timer, socket, process, file or listener when it is closed`, async () => {
		const bridge = await startBridge({ workers: 1, spares: 0 });
		const { stdout, stderr, code } = await runScript(
			`${RESOURCES}
			const before = counts();
			const shim = createShim(${options});
			const { RTCPeerConnection } = shim;
			${CONNECT}
			await shim.close();
			await destroyed();
			console.log(counts() === before ? 'nothing' : before + counts());`,
			{ NAMED_URL: bridge.url, NAMED_TOKEN: bridge.token },
		);
		await bridge.close();
		assert.is(stderr, '');
		assert.is(stdout, 'begin 2\nnothing\n');
		assert.is(code, 0);
	});
}

for (const [when, wait] of [
	['before it connects', '0'],
	['while its worker starts', '60'],
] as const) {
	test(`a shim that is closed ${when} leaves nothing, and takes no 10 s for it`, async () => {
		const { stdout, stderr, lasted } = await runScript(`${RESOURCES}
			const before = counts();
			const shim = createShim();
			const ready = shim.ready.catch((error) => error.name);
			await new Promise((resolve) => setTimeout(resolve, ${wait}));
			console.log('end');
			await shim.close();
			await destroyed();
			console.log(await ready, counts() === before ? 'nothing' : before + counts());`);
		assert.is(stderr, '');
		assert.is(stdout, 'begin 2\nend\nInvalidStateError nothing\n');
		assert.ok(lasted < 3000, `${lasted} ms`);
	});
}

test('the embedded bridge lives as long as any shim uses it', async () => {
	const shims = [createShim(), createShim()];
	await Promise.all(shims.map(({ ready }) => ready));
	const workers = childrenOf();
	await shims[0]!.close();
	assert.equal(childrenOf().length, workers.length);
	await shims[1]!.ready;
	await shims[1]!.close();
	assert.equal(childrenOf(), []);
});

test('a closed shim makes no connection, opens no device, and is never ready', async () => {
	const shim = createShim();
	await shim.close();
	await shim.close();
	const isClosed = (error: Error) => error.name === 'InvalidStateError' && /is closed/.test(error.message);
	assert.throws(() => new shim.RTCPeerConnection(), isClosed);
	for (const refused of [shim.mediaDevices.getUserMedia({ audio: true }), shim.ready]) {
		const error = await refused.then(
			() => assert.unreachable(),
			(error: Error) => error,
		);
		assert.ok(isClosed(error as Error), `${error}`);
	}
});

test('10,000 shims that are made and closed without connecting take no memory', async () => {
	const { stdout } = await runScript(`
		import { setFlagsFromString } from 'node:v8';
		import { runInNewContext } from 'node:vm';
		import { createShim } from 'aiortc-shim';
		setFlagsFromString('--expose-gc');
		const gc = runInNewContext('gc');
		const cycle = async () => { const shim = createShim(); shim.onlost = () => {}; await shim.close(); };
		// What V8 compiles meanwhile is on the heap, too: some 900 KiB in the first ten thousand, and nothing in the next.
		for (let n = 0; n < 12_000; n++) await cycle();
		gc();
		const before = process.memoryUsage().heapUsed;
		for (let n = 0; n < 10_000; n++) await cycle();
		gc();
		console.log(Math.round((process.memoryUsage().heapUsed - before) / 1024), process.getActiveResourcesInfo().join());
	`);
	const [kilobytes, resources] = stdout.trim().split(' ');
	assert.ok(Number(kilobytes) < 500, `${kilobytes} KiB`);
	assert.not.match(resources ?? '', 'Timeout');
});

test('an awaited `ready` is enough for a program to wait for its worker, and to know its codecs', async () => {
	const { stdout, code } = await runScript(`
		import { createShim } from 'aiortc-shim';
		const shim = createShim();
		console.log(shim.codecs.length, shim.capabilities.length);
		await shim.ready;
		console.log(shim.codecs.join(), shim.capabilities.join());
		await shim.close();
		console.log(shim.codecs.length, shim.capabilities.length);
	`);
	assert.is(code, 0);
	const [before, during, after] = stdout.split('\n');
	assert.is(before, '0 0');
	assert.match(during!, /audio\/opus.*video\/VP8.* file,url,device,record,ice,private$/);
	assert.is(after, '0 0');
});

test('a shim has the capabilities of its token', async () => {
	const bridge = await startBridge({ workers: 1, spares: 0, capabilities: ['ice', 'url'] });
	const shim = createShim({ url: bridge.url, token: bridge.token });
	await shim.ready;
	const { capabilities } = shim;
	await shim.close();
	await bridge.close();
	assert.equal(capabilities, ['ice', 'url']);
});

test('a lost session is told once, with the reason its calls have, and the next one works', async () => {
	const shim = createShim({ log: () => {} });
	const lost: Error[] = [];
	shim.onlost = (error) => lost.push(error);
	await shim.ready;
	const connection = new shim.RTCPeerConnection();
	const failed = new Promise((resolve) => {
		connection.onconnectionstatechange = resolve;
	});
	connection.createDataChannel('chat');
	await connection.setLocalDescription();
	process.kill(childrenOf()[0]!, 'SIGKILL');
	await failed;
	const call = await connection.createOffer().catch((error: Error) => error);
	await new Promise((resolve) => setTimeout(resolve, 50));
	assert.is(lost.length, 1);
	assert.is(lost[0]!.name, 'InvalidStateError');
	assert.match(lost[0]!.message, 'the session was lost: the worker died');
	assert.is((lost[0]!.cause as Error).name, 'LinkError');
	connection.close();
	await shim.ready;
	await shim.close();
	assert.is(lost.length, 1);
	assert.ok(call);
});

test('one cause has one class, however a program meets it', async () => {
	const { stdout } = await runScript(
		`
		import { createShim } from 'aiortc-shim';
		const shim = createShim({ log: () => {} });
		const connection = new shim.RTCPeerConnection();
		const told = (error) => console.log(error.name, error instanceof DOMException, error.cause?.name, error.message);
		const held = setTimeout(() => {}, 5000);
		await new Promise((resolve) => {
			shim.onlost = (error) => { told(error); resolve(); };
		});
		shim.onlost = null;
		await shim.ready.catch(told);
		await connection.createOffer().catch(told);
		await shim.mediaDevices.getUserMedia({ audio: true }).catch(told);
		clearTimeout(held);
		await shim.close();
	`,
		{ AIORTC_SHIM_PYTHON: '/nonexistent/python' },
	);
	const sentence = 'AIORTC_SHIM_PYTHON is /nonexistent/python, which does not exist: correct or unset it';
	assert.is(stdout, `InvalidStateError true SetupError ${sentence}\n`.repeat(4));
});

test('a log takes what the shim, the embedded bridge and its worker say, and stderr stays empty', async () => {
	const { stdout, stderr } = await runScript(
		`
		import { createShim } from 'aiortc-shim';
		import { childrenOf } from './tests/integration/bridge/processes.ts';
		let heard;
		const died = new Promise((resolve) => { heard = resolve; });
		const shim = createShim({
			log: ({ level, source, message }) => {
				console.log(level, source, message);
				if (/a worker died/.test(message)) heard();
			},
		});
		await shim.ready;
		const held = setTimeout(() => {}, 5000);
		process.kill(childrenOf()[0], 'SIGSEGV');
		await died;
		clearTimeout(held);
		await shim.close();
	`,
		{ PYTHONFAULTHANDLER: '1' },
	);
	assert.is(stderr, '');
	assert.match(stdout, /^error worker Fatal Python error: Segmentation fault$/m);
	assert.match(stdout, /^error bridge a worker died, and its sessions ended$/m);
});

test('a log hears at once of a bridge that is not there, and the error says what to do', async () => {
	const log: LogRecord[] = [];
	const shim = createShim({ url: 'ws://127.0.0.1:9', token: 'a token', log: (record) => log.push(record) });
	const ready = shim.ready.then(
		() => '',
		(error: Error) => error.message,
	);
	await new Promise((resolve) => setTimeout(resolve, 500));
	const sentence = 'no bridge could be reached at ws://127.0.0.1:9: start one with npx aiortc-shim bridge';
	assert.equal(log, [
		{ level: 'warn', source: 'shim', kind: 'bridge-unreachable', message: `${sentence}; trying for 5 s` },
	]);
	assert.is(await ready, sentence);
	await shim.close();
});

test('AIORTC_SHIM_URL=http: is told which scheme it wants', async () => {
	const { stdout, stderr, code } = await runScript(
		`import { shim } from 'aiortc-shim';
		await shim.ready.catch(({ name, message, cause }) => console.log(name, cause.name, message));`,
		{ AIORTC_SHIM_URL: 'http://127.0.0.1:8080', AIORTC_SHIM_TOKEN: 'a token' },
	);
	const sentence = "The bridge's URL is http://127.0.0.1:8080; one with ws: or wss:, as ws://127.0.0.1:8080, is needed";
	assert.is(stdout, `InvalidStateError SyntaxError ${sentence}\n`);
	assert.equal([stderr, code], ['', 0], 'nothing that cannot be caught follows');
});

test('NODE_EXTRA_CA_CERTS reaches the worker, which says so when it cannot read it', async () => {
	const { stdout } = await runScript(
		`
		import { createShim } from 'aiortc-shim';
		const heard = new Promise((resolve) => {
			globalThis.log = ({ source, message }) => /CA_CERTS/.test(message) && resolve(source + ' ' + message);
		});
		const shim = createShim({ log: globalThis.log });
		const iceServers = [{ urls: 'turns:127.0.0.1:9', username: 'a', credential: 'b' }];
		const connection = new shim.RTCPeerConnection({ iceServers });
		connection.createDataChannel('chat');
		await connection.setLocalDescription();
		const late = setTimeout(() => process.exit(1), 20_000);
		console.log(await heard);
		clearTimeout(late);
		await shim.close();
	`,
		{ NODE_EXTRA_CA_CERTS: '/nonexistent/ca.pem' },
	);
	assert.match(stdout, /^worker NODE_EXTRA_CA_CERTS is \/nonexistent\/ca.pem, which is ignored/);
});

test('a Python without the packages is one sentence, without a traceback before it', async () => {
	const folder = mkdtempSync(join(tmpdir(), 'aiortc-python-'));
	const bare = join(folder, 'python');
	writeFileSync(bare, `#!/bin/sh\nexec '${which('python3')[0]}' -S "$@"\n`, { mode: 0o755 });
	const { stderr, stdout } = await runScript(
		`import { shim } from 'aiortc-shim'; await shim.ready.catch(({ message }) => console.log(message));`,
		{ AIORTC_SHIM_PYTHON: bare },
	);
	rmSync(folder, { recursive: true });
	assert.match(stdout, /^AIORTC_SHIM_PYTHON is .*, but it lacks \S+: install there what .*, or unset it\n$/);
	assert.is(stderr, `aiortc-shim: ${stdout}`);
});

test('a refused capability is told with the option that allows it', async () => {
	const bridge = await startBridge({ workers: 1, spares: 0, capabilities: [] });
	const shim = createShim({ url: bridge.url, token: bridge.token });
	const audio = { sourceType: 'file', source: 'film.webm' } as MediaTrackConstraints;
	const file = await shim.mediaDevices.getUserMedia({ audio }).catch((error: Error) => error);
	const connection = new shim.RTCPeerConnection({ iceServers: [{ urls: 'stun:127.0.0.1:9' }] });
	const ice = new Promise<string>((resolve) => {
		connection.onicecandidateerror = ({ errorText }) => resolve(errorText);
	});
	connection.createDataChannel('chat');
	await connection.setLocalDescription();
	const refusal = await ice;
	await shim.close();
	await bridge.close();
	assert.is((file as Error).message, 'The token does not allow file: start the bridge with --allow file');
	assert.is(refusal, 'The token does not allow ice: start the bridge with --allow ice');
});

test('`await using` ends a shim and a bridge', async () => {
	const running = start(`
		import { createShim } from 'aiortc-shim';
		import { startBridge } from 'aiortc-shim/bridge';
		import { childrenOf } from './tests/integration/bridge/processes.ts';
		{
			await using bridge = await startBridge({ workers: 1, spares: 0 });
			await using shim = createShim({ url: bridge.url, token: bridge.token });
			await using embedded = createShim();
			await Promise.all([shim.ready, embedded.ready]);
			console.log(childrenOf().length);
		}
		console.log(childrenOf().length);
		console.log('end');
	`);
	const { stdout, stderr, lasted } = await running.ended;
	assert.is(stdout, '2\n0\nend\n', stderr);
	assert.ok(lasted < 1000, `${lasted} ms`);
});

test.run();
