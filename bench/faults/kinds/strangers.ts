/** What those do who have no token. Their address is another one of this machine: 127.0.0.2 (Linux has them all). */
import { connect, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import { createShim } from '../../../entries/node.ts';
import { expect, type Fault, failure, type Outcome, pause, seconds, within } from '../fault.ts';
import { RawSession } from '../RawSession.ts';
import { randomBytes } from '../random.ts';
import type { Scene } from '../Scene.ts';

const ELSEWHERE = '127.0.0.2';
const MANY = 200;
/** For an honest session to begin meanwhile. */
const SERVED_MS = 10_000;
/** By when a socket that says too little is to be closed. */
const CLOSED_MS = 15_000;
/** Wrong tokens that one address may try in a second. */
const GUESSES = 100;

export const strangers: Fault[] = [
	{
		name: 'sockets without hello',
		expected: `${MANY} of them again and again, and a session begins within ${SERVED_MS / 1000} s`,
		where: 'beside',
		inject: silentSockets,
	},
	{
		name: 'half a header',
		expected: `${MANY} of them, closed within ${CLOSED_MS / 1000} s; a session begins`,
		where: 'beside',
		inject: (scene) => tcpSockets(scene, 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half'),
	},
	{
		name: 'refused upgrades that stay',
		expected: `${MANY} of them, closed within ${CLOSED_MS / 1000} s; a session begins`,
		where: 'beside',
		inject: (scene) =>
			tcpSockets(scene, 'GET / HTTP/1.1\r\nHost: elsewhere\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'),
	},
	{
		name: 'wrong tokens',
		expected: `at most ${GUESSES} answers a second; a session begins`,
		where: 'beside',
		inject: guess,
	},
	{
		name: 'garbage before hello',
		expected: `${MANY} sockets refused; a session begins`,
		where: 'beside',
		inject: garbage,
	},
];

async function silentSockets(scene: Scene): Promise<Outcome> {
	const sockets = new Set<WebSocket>();
	let isOver = false;
	/** Whoever is closed comes again. */
	const come = (): void => {
		const socket = new WebSocket(scene.bridge.url, ['aiortc-shim.v1'], { localAddress: ELSEWHERE });
		sockets.add(socket);
		socket.on('error', () => {});
		socket.on('close', () => {
			sockets.delete(socket);
			if (!isOver) setTimeout(come, 20);
		});
	};
	scene.later(() => {
		isOver = true;
		for (const socket of sockets) socket.terminate();
	});
	for (let count = 0; count < MANY; count++) come();
	await pause(500);
	const began = await begin(scene);
	return { seen: `a session after ${seconds(began)}`, end: '' };
}

/** Sockets that send some text, and neither end nor answer. */
async function tcpSockets(scene: Scene, text: string): Promise<Outcome> {
	const sockets = Array.from({ length: MANY }, () => stranger(scene, text));
	let open = MANY;
	for (const socket of sockets) socket.once('close', () => open--);
	const start = performance.now();
	const began = await begin(scene);
	expect(await within(CLOSED_MS, () => open === 0), `${open} are open after ${CLOSED_MS / 1000} s`);
	return { seen: `a session after ${seconds(began)}, all closed after ${seconds(performance.now() - start)}`, end: '' };
}

function stranger(scene: Scene, text: string): Socket {
	const socket = connect({ port: scene.bridge.port, host: '127.0.0.1', localAddress: ELSEWHERE, allowHalfOpen: true });
	socket.on('error', () => {}).on('data', () => {});
	// Its half stays open: the bridge has to end this by itself.
	socket.once('connect', () => socket.write(text));
	socket.once('end', () => setTimeout(() => socket.destroy(), 500));
	scene.later(() => socket.destroy());
	return socket;
}

async function guess(scene: Scene): Promise<Outcome> {
	let guesses = 0;
	let isOver = false;
	const guesser = async (): Promise<void> => {
		while (!isOver) {
			const error = await failure(
				RawSession.open(scene.bridge.url, `wrong${guesses}`, { localAddress: ELSEWHERE }),
				5_000,
			);
			if (error?.message.startsWith('4001')) guesses++;
			else await pause(20);
		}
	};
	const guessing = Array.from({ length: 16 }, guesser);
	await pause(1_000);
	const start = performance.now();
	const from = guesses;
	const began = await begin(scene);
	await pause(3_000);
	const rate = (guesses - from) / ((performance.now() - start) / 1000);
	isOver = true;
	await Promise.all(guessing);
	expect(rate <= GUESSES, `${rate.toFixed(0)} wrong tokens a second were answered`);
	return { seen: `${rate.toFixed(0)} a second, a session after ${seconds(began)}`, end: '4001' };
}

async function garbage(scene: Scene): Promise<Outcome> {
	const random = randomBytes(2);
	const sockets = Array.from({ length: MANY }, (_, index) => {
		const text = random(1 + (index % 500)).toString('latin1');
		return stranger(scene, index % 2 ? text : `GET /${text}\r\n\r\n`);
	});
	const began = await begin(scene);
	await within(CLOSED_MS, () => sockets.every(({ destroyed }) => destroyed));
	const open = sockets.filter(({ destroyed }) => !destroyed).length;
	expect(open === 0, `${open} are open after ${CLOSED_MS / 1000} s`);
	return { seen: `a session after ${seconds(began)}`, end: '' };
}

/**
 * Begins a session as a program does.
 *
 * @returns the milliseconds that it took
 */
async function begin(scene: Scene): Promise<number> {
	const start = performance.now();
	const shim = createShim({ url: scene.bridge.url, token: scene.newcomer, sessions: 1, log: () => {} });
	scene.later(() => shim.close());
	const refused = await failure(shim.ready, SERVED_MS);
	expect(!refused, `no session: ${refused?.message}`);
	return performance.now() - start;
}
