import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ensurePython } from '../../../bridge/python.ts';
import { Worker } from '../../../bridge/worker.ts';
import { Session } from '../../../shim/rpc/Session.ts';
import { Relay } from '../link/relay.ts';
import { workerEnd } from './localWorker.ts';

const python = await ensurePython();
const lines: string[] = [];

function startWorker(): Promise<Worker> {
	return Worker.start({ python, signal: new AbortController().signal, onStderr: (line) => lines.push(line) });
}

async function openSession(worker: Worker): Promise<Session> {
	const relay = new Relay(workerEnd(await worker.connect()));
	return new Session({ connect: () => ({ url: 'memory:', token: 't' }), openSocket: relay.open });
}

test('a session of a real worker process answers, says what is alive, and leaves nothing', async () => {
	const worker = await startWorker();
	const session = await openSession(worker);
	assert.equal(await session.root.call('ping', {}), {});
	session.create('Certificate', { algorithm: 'ECDSA' });
	assert.equal((await session.root.call('dump', {})).objects, { Certificate: 1 });
	await session.close();
	await worker.stop();
	assert.equal(lines, []);
});

test.run();
