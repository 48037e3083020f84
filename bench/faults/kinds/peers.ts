/** What the other end of a connection does, and who else reaches its port. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ensurePython } from '../../../bridge/python.ts';
import type { Culprit } from '../Culprit.ts';
import { expect, type Fault, failure, type Outcome, pause, seconds } from '../fault.ts';
import { gathered, next } from '../pair.ts';
import { randomBytes } from '../random.ts';
import type { Scene } from '../Scene.ts';

const PROGRAM = join(import.meta.dirname, '../hostile_peer.py');
const DATAGRAMS = 20_000;
const ANSWERED_MS = 10_000;

export const peers: Fault[] = [
	{
		name: 'datagrams of strangers',
		expected: `${DATAGRAMS} at the port of a connection, which goes on`,
		where: 'beside',
		inject: datagrams,
	},
	{
		name: 'a peer that sends garbage',
		expected: 'its connection may end, the session goes on',
		where: 'beside',
		inject: (scene) => hostile(scene, 'garbage'),
	},
	{
		name: 'a peer that opens 5,000 channels',
		expected: 'its connection may end, the session makes another',
		where: 'beside',
		inject: (scene) => hostile(scene, 'channels'),
	},
];

async function datagrams(scene: Scene): Promise<Outcome> {
	const culprit = await scene.culprit();
	const random = randomBytes(3);
	const socket = createSocket('udp4');
	const addresses = [...new Set(hostAddresses(culprit))];
	try {
		for (let sent = 0; sent < DATAGRAMS; sent++) {
			// Nothing at all, what looks like STUN, DTLS or RTP, and what is longer than a packet may be.
			const datagram = random([0, 20, 60, 200, 1_500][sent % 5]!);
			if (datagram.length > 0) datagram[0] = [0, 1, 22, 128, 255][sent % 7] ?? datagram[0]!;
			socket.send(datagram, culprit.port, addresses[sent % addresses.length]!);
			if (sent % 100 === 0) await pause(5);
		}
	} finally {
		socket.close();
	}
	const echo = await failure(answers(culprit), ANSWERED_MS);
	expect(!echo, `its connection: ${echo?.message}`);
	expect(culprit.events.length === 0, culprit.events.join(', '));
	return { seen: 'its channel answers', end: '' };
}

/** The addresses at which its port is open. */
function hostAddresses({ offerer }: Culprit): string[] {
	return [
		...offerer.localDescription!.sdp.matchAll(/^a=candidate:\S+ 1 udp \d+ (\d+\.\d+\.\d+\.\d+) \d+ typ host/gim),
	].map(([, address]) => address!);
}

/** Resolves when a message has come back over the culprit's channel. */
async function answers({ channel }: Culprit): Promise<void> {
	const back = next(channel, 'message', ANSWERED_MS);
	channel.send('are you there');
	await back;
}

/** A connection to a peer that means harm; the same session then has to make another, and to go on. */
async function hostile(scene: Scene, what: 'garbage' | 'channels'): Promise<Outcome> {
	const culprit = await scene.culprit();
	const { RTCPeerConnection } = culprit.shim;
	const peer = spawn(await ensurePython(), [PROGRAM, what], { stdio: ['pipe', 'pipe', 'inherit'] });
	const connection = new RTCPeerConnection();
	scene.later(() => connection.close());
	scene.later(() => end(peer));
	const lines = createInterface({ input: peer.stdout! })[Symbol.asyncIterator]();
	let channels = 0;
	connection.ondatachannel = () => channels++;
	connection.createDataChannel('greeting');
	await connection.setLocalDescription();
	await gathered(connection);
	peer.stdin!.write(`${JSON.stringify(connection.localDescription!.sdp)}\n`);
	const answer = await lines.next();
	expect(!answer.done, 'the peer ended');
	await connection.setRemoteDescription({ type: 'answer', sdp: JSON.parse(answer.value) });
	const start = performance.now();
	const report = lines.next();
	const late = await failure(report, 60_000);
	expect(!late, `the peer: ${late?.message}`);
	const { sent } = JSON.parse((await report).value ?? '{}') as { sent?: number };
	expect(sent, 'the peer ended before it had sent anything');
	await pause(2_000);
	const took = performance.now() - start;
	expect(!culprit.events.some((event) => /\d{4}/.test(event)), `its session: ${culprit.events.join(', ')}`);
	const recovered = await culprit.recover();
	const state = `${connection.connectionState}, ${channels} channels`;
	return {
		seen: `${sent} sent in ${seconds(took)}, then ${state}; another in ${seconds(recovered)}`,
		end: culprit.events.join(', '),
	};
}

async function end(peer: ChildProcess): Promise<void> {
	if (peer.exitCode !== null || peer.signalCode) return;
	const gone = once(peer, 'exit');
	peer.kill('SIGKILL');
	await gone;
}
