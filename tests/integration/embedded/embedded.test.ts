import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startEmbedded, stopEmbedded } from '../../../bridge/embedded.ts';
import { startBridge } from '../../../bridge/server.ts';
import { installGlobals, shim } from '../../../entries/node.ts';
import type { Welcome } from '../../../shim/link/hello.ts';
import { childrenOf, isAlive, socketFolders, within } from '../bridge/processes.ts';
import { CONNECT, type Ended, runScript, start } from './script.ts';

/** Nothing on stderr but what a slow machine makes the worker's watchdog say. */
function assertQuiet({ code, stderr }: { code: number | null; stderr: string }): void {
	assert.is(code, 0, stderr);
	assert.not.match(stderr.replace(/^.*watchdog[\s\S]*?blocked for.*$/gm, ''), /error|exception|never|warning/i);
}

function assertEnds(ended: Ended, milliseconds: number): void {
	assertQuiet(ended);
	assert.ok(ended.lasted < milliseconds, `${ended.lasted} ms`);
}

test('a program that imports the globals and does nothing ends at once', async () => {
	const ended = await runScript(`import 'aiortc-shim/global'; console.log('end');`);
	assertEnds(ended, 1000);
});

test('an embedded bridge says that nobody else shares it', async () => {
	// Nothing of an embedded bridge keeps the process alive.
	const held = setInterval(() => {}, 1000);
	const { token, openSocket } = await startEmbedded();
	const socket = openSocket!('', '', () => {});
	const told = new Promise<unknown>((resolve) => {
		socket.onmessage = ({ data }) => resolve(data);
	});
	socket.onopen = () => socket.send(JSON.stringify({ hello: { version: 1, token, client: 'test' } }));
	const { hello } = JSON.parse((await told) as string) as { hello: Welcome };
	assert.is(hello.shared, false);
	socket.close(1000, '');
	await stopEmbedded();
	clearInterval(held);
});

test('a program that closes its connections ends by itself within 2 s', async () => {
	const running = start(`
		import 'aiortc-shim/global';
		${CONNECT}
		alice.close();
		bob.close();
		console.log('end');
	`);
	assertEnds(await running.ended, 2000);
	assert.ok(await within(2000, () => socketFolders(running.child.pid).length === 0));
});

test('a program that closes a channel, and its connection before all was sent, ends by itself', async () => {
	const running = start(`
		import 'aiortc-shim/global';
		${CONNECT}
		for (let sent = 0; sent < 200; sent++) channel.send(new Uint8Array(65_536));
		channel.close();
		alice.close();
		bob.close();
		console.log('end');
	`);
	assertEnds(await running.ended, 5000);
});

test('an open connection keeps the program alive, and nothing else has to', async () => {
	const running = start(`
		import 'aiortc-shim/global';
		${CONNECT}
		channel.onmessage = () => { alice.close(); bob.close(); console.log('end'); };
		(await other).send('late');
	`);
	const { code, stdout } = await running.ended;
	assert.is(code, 0);
	assert.is(stdout, 'end\n');
});

test('a program that is killed leaves no process and no file after 2 s', async () => {
	const running = start(`
		import 'aiortc-shim/global';
		${CONNECT}
		console.log('open');
	`);
	await running.said('open');
	const workers = childrenOf(running.child.pid);
	assert.ok(workers.length > 0);
	assert.is(socketFolders(running.child.pid).length, workers.length);
	running.child.kill('SIGKILL');
	assert.ok(await within(2000, () => !workers.some(isAlive)));
	assert.ok(await within(2000, () => socketFolders(running.child.pid).length === 0));
});

test('a program killed while its worker starts leaves none', async () => {
	const running = start(
		`import 'aiortc-shim/global'; setTimeout(() => console.log('soon'), 60); setTimeout(() => {}, 1e6);`,
	);
	await running.said('soon');
	const children = childrenOf(running.child.pid);
	running.child.kill('SIGKILL');
	assert.ok(await within(2000, () => children.every((pid) => !isAlive(pid))));
	assert.ok(await within(2000, () => socketFolders(running.child.pid).length === 0));
});

test('a worker that dies fails its connections, and the next connection works', async () => {
	const { code, stdout } = await runScript(`
		import 'aiortc-shim/global';
		import { childrenOf } from './tests/integration/bridge/processes.ts';
		{
			${CONNECT}
			const failed = new Promise((resolve) => {
				alice.onconnectionstatechange = () => resolve(alice.connectionState);
			});
			const closed = new Promise((resolve) => {
				let error = 'no error';
				channel.onerror = (event) => { error = event.error.name; };
				channel.onclose = () => resolve(error);
			});
			process.kill(childrenOf()[0], 'SIGKILL');
			console.log(await failed, await closed);
			alice.close();
			bob.close();
		}
		${CONNECT}
		console.log(channel.readyState);
		alice.close();
		bob.close();
	`);
	assert.is(stdout, 'failed OperationError\nopen\n');
	assert.is(code, 0);
});

test('AIORTC_SHIM_LAZY starts no worker before the first use', async () => {
	const count = `
		import 'aiortc-shim/global';
		import { childrenOf } from './tests/integration/bridge/processes.ts';
		await new Promise((resolve) => setTimeout(resolve, 300));
		console.log(childrenOf().length);
	`;
	assert.is((await runScript(count, { AIORTC_SHIM_LAZY: '1' })).stdout, '0\n');
	assert.is((await runScript(count)).stdout, '1\n');
});

test('a bridge that is named is used instead', async () => {
	const bridge = await startBridge({ workers: 1, spares: 0 });
	const script = `
		import 'aiortc-shim/global';
		import { childrenOf } from './tests/integration/bridge/processes.ts';
		${CONNECT}
		console.log(channel.readyState, childrenOf().length);
		alice.close();
		bob.close();
	`;
	const ended = await runScript(script, { AIORTC_SHIM_URL: bridge.url, AIORTC_SHIM_TOKEN: bridge.token });
	// The program said goodbye: its session does not wait for it to come back.
	const gone = await within(10_000, () => bridge.sessions === 0);
	await bridge.close();
	assertQuiet(ended);
	assert.is(ended.stdout, 'open 0\n');
	assert.ok(gone);
});

test('several shims have each a session and a worker of their own, and classes that keep their names', async () => {
	const ended = await runScript(`
		import { createShim, RTCPeerConnection } from 'aiortc-shim';
		import { childrenOf } from './tests/integration/bridge/processes.ts';
		const shims = [createShim(), createShim()];
		const connections = shims.map((shim) => new shim.RTCPeerConnection());
		await Promise.all(connections.map((connection) => connection.createOffer()));
		const [first] = connections;
		console.log(childrenOf().length, first.constructor.name, first instanceof RTCPeerConnection);
		console.log(first instanceof shims[1].RTCPeerConnection);
		await Promise.all(shims.map((shim) => shim.close()));
		console.log('end');
	`);
	assertQuiet(ended);
	assert.is(ended.stdout, '2 RTCPeerConnection true\nfalse\nend\n');
});

test('the globals go as they came', async () => {
	const { stdout } = await runScript(`
		const names = () => Object.getOwnPropertyNames(globalThis).join() + Object.getOwnPropertyNames(navigator).join();
		const before = names();
		const { uninstall } = await import('aiortc-shim/global');
		console.log(typeof RTCPeerConnection, typeof navigator.mediaDevices.getUserMedia);
		console.log(navigator.userAgentData.brands[0].brand, /Node/.test(navigator.userAgent));
		uninstall();
		console.log(names() === before);
	`);
	assert.is(stdout, 'function function\nChromium true\ntrue\n');
});

test('a realm without a navigator gets one with a user agent, which libraries read without asking', () => {
	const realm: { navigator?: { userAgent: string } } = {};
	const uninstall = installGlobals(realm, shim);
	assert.match(realm.navigator!.userAgent, /^Node\.js\/\d+$/);
	uninstall();
	assert.equal(realm, {});
});

test('a track that eleven producers listen to brings no warning', async () => {
	const { stderr } = await runScript(`
		import 'aiortc-shim/global';
		const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
		const [track] = stream.getTracks();
		for (let n = 0; n < 11; n++) track.addEventListener('ended', () => {});
		track.stop();
	`);
	assert.is(stderr, '');
});

test('a window is there for programs that ask for it, and goes with the globals', async () => {
	const script = `
		import 'aiortc-shim/global';
		import { uninstall } from 'aiortc-shim/global';
		console.log(globalThis.window === globalThis, globalThis.window?.RTCPeerConnection === RTCPeerConnection);
		uninstall();
		console.log('window' in globalThis);
	`;
	assert.is((await runScript(script)).stdout, 'false false\nfalse\n');
	assert.is((await runScript(script, { AIORTC_SHIM_WINDOW: '1' })).stdout, 'true true\nfalse\n');
});

test('without a usable Python the caller is told what to do', async () => {
	const { stdout, code } = await runScript(
		`
			import 'aiortc-shim/global';
			const connection = new RTCPeerConnection();
			await connection.createOffer().catch((error) => console.log(error.message));
			connection.close();
		`,
		{ AIORTC_SHIM_PYTHON: '/nonexistent/python' },
	);
	assert.match(stdout, /AIORTC_SHIM_PYTHON is \/nonexistent\/python, which does not exist: correct or unset it/);
	assert.is(code, 0);
});

test.run();
