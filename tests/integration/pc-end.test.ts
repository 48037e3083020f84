import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startEmbedded } from '../../bridge/embedded.ts';
import { RTCPeerConnection } from '../../shim/api/index.ts';
import { bindContext } from '../../shim/rpc/context.ts';
import { Session } from '../../shim/rpc/Session.ts';
import { childrenOf } from './bridge/processes.ts';
import { connected, makeChannels, makePair, negotiate, next, opened, record, shim, until } from './pcPair.ts';

test('20 pairs of connections, made and closed in any state, leave nothing in the worker', async () => {
	const keepAlive = setInterval(() => {}, 1_000);
	const session = new Session({ connect: startEmbedded });
	const Bound = bindContext(RTCPeerConnection, { session: () => session });
	const alive = async () => (await session.root.call('dump', {})).objects;
	for (let round = 0; round < 20; round += 1) {
		const pair = makePair({ Connection: Bound });
		pair.offerer.createDataChannel('x');
		pair.offerer.addTransceiver('audio').sender.getParameters();
		pair.answerer.addTransceiver('video');
		if (round % 4 > 0) await negotiate(pair);
		if (round % 4 > 1) await connected(pair.offerer, pair.answerer);
		if (round % 4 > 2) pair.offerer.restartIce();
		pair.close();
	}
	await until('nothing is alive', async () => Object.keys(await alive()).length === 0).catch(async () => {
		assert.equal(await alive(), {});
	});
	await session.close();
	clearInterval(keepAlive);
});

test('the peer gone without a word: the other side is disconnected, then fails', async () => {
	const { offerer, answerer, close } = await makeChannels();
	const seen = record(offerer, 'connectionstatechange');
	answerer.close();
	await until('it is noticed', () => offerer.connectionState !== 'connected', 20_000);
	assert.ok(seen.length > 0);
	close();
});

test('a worker that is killed: connections fail, tracks end, channels close with an error; the next connection works', async () => {
	const pair = await makeChannels();
	const { offerer, answerer, ours, theirs } = pair;
	offerer.addTransceiver('video');
	await negotiate(pair);
	const { track } = answerer.getReceivers()[0]!;
	const seen = [ours, theirs].map((channel) => record(channel, 'error', 'closing', 'close'));
	const error = next<RTCErrorEvent>(ours, 'error');
	const ended = next(track, 'ended');
	for (const worker of childrenOf()) process.kill(worker, 'SIGKILL');
	assert.is((await error).error.errorDetail, 'sctp-failure');
	await ended;
	await until('both have failed', () =>
		[offerer, answerer].every(
			({ connectionState, iceConnectionState }) => connectionState === 'failed' && iceConnectionState === 'failed',
		),
	);
	assert.equal(seen, [
		['error', 'close'],
		['error', 'close'],
	]);
	assert.equal([ours.readyState, track.readyState, offerer.sctp?.state], ['closed', 'ended', 'closed']);
	assert.is((await offerer.getStats()).size > 0, true);
	pair.close();

	const again = makePair();
	const channel = again.offerer.createDataChannel('again');
	await negotiate(again);
	await opened(channel);
	again.close();
});

/** How a script of its own process ends after it has said `done`; null when it goes on for `milliseconds`. */
async function endOf(last: string, milliseconds: number): Promise<number | null> {
	const script = `
		import { RTCPeerConnection } from './entries/node.ts';
		const connection = new RTCPeerConnection();
		connection.createDataChannel('x');
		await connection.setLocalDescription();
		console.log('done');
		${last}`;
	const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', script], {
		stdio: ['ignore', 'pipe', 'ignore'],
	});
	await once(child.stdout, 'data');
	const timer = setTimeout(() => child.kill(), milliseconds);
	const [status] = await once(child, 'exit');
	clearTimeout(timer);
	return status;
}

test('a script that closes its connection exits by itself; one that holds it open goes on', async () => {
	assert.is(await endOf('connection.close()', 4_000), 0);
	assert.is(await endOf('', 1_000), null);
});

test.after(() => shim.close());

test.run();
