/**
 * A Janus server's echo test and a connection of the shim's, in this process: what is sent comes back through Janus.
 *
 * One ask: `room`, of what should come back.
 */
import '../../../../entries/global.ts';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { listenTo } from '../../../../demo/verify/listen.ts';
import { watch } from '../../../../demo/verify/watch.ts';
import type { RoomAsks } from '../../driver/protocol.ts';
import { readyLine } from '../lines.ts';

type What = RoomAsks['room']['in']['what'];

interface Said {
	transaction?: string;
	janus: string;
	data?: { id: number };
	jsep?: RTCSessionDescriptionInit;
	version_string?: string;
}

const HOST = '127.0.0.1';
const PATIENCE = 20_000;
const CODE = 23;
const TONE = 550;

async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
	const { port } = server.address() as { port: number };
	await new Promise((resolve) => server.close(resolve));
	return port;
}

async function startServer(): Promise<string> {
	const folder = mkdtempSync(join(tmpdir(), 'aiortc-shim-interop-janus-'));
	const port = await freePort();
	const others = ['http', 'pfunix', 'rabbitmq', 'mqtt', 'nanomsg'].map((name) => `libjanus_${name}.so`);
	writeFileSync(join(folder, 'janus.jcfg'), `general: {}\ntransports: { disable = "${others.join(',')}" }\n`);
	const sockets = `general: { json = "compact", ws = true, ws_port = ${port}, ws_ip = "${HOST}" }\n`;
	writeFileSync(join(folder, 'janus.transport.websockets.jcfg'), sockets);
	const server = spawn('janus', ['-F', folder, '--disable-colors'], { stdio: ['ignore', 'ignore', 'inherit'] });
	process.once('exit', () => {
		server.kill('SIGKILL');
		rmSync(folder, { recursive: true, force: true });
	});
	return `ws://${HOST}:${port}`;
}

/** A WebSocket to Janus; answers are told by their transaction, and what comes later as an event, too. */
class Janus {
	readonly #socket: WebSocket;
	readonly #waiting = new Map<string, (said: Said) => void>();
	#last = 0;

	static async connect(url: string): Promise<Janus> {
		for (const limit = performance.now() + PATIENCE; ; ) {
			const socket = new WebSocket(url, 'janus-protocol');
			const opened = new Promise<boolean>((resolve) => {
				socket.onopen = () => resolve(true);
				socket.onerror = () => resolve(false);
			});
			if (await opened) return new Janus(socket);
			if (performance.now() > limit) throw new Error('the Janus server does not start');
			await new Promise((resolve) => setTimeout(resolve, 100));
		}
	}

	private constructor(socket: WebSocket) {
		this.#socket = socket;
		socket.onmessage = ({ data }) => {
			const said = JSON.parse(data) as Said;
			if (said.janus !== 'ack') this.#waiting.get(said.transaction ?? '')?.(said);
		};
	}

	ask(request: object): Promise<Said> {
		const transaction = String(++this.#last);
		const answer = new Promise<Said>((resolve) => this.#waiting.set(transaction, resolve));
		this.#socket.send(JSON.stringify({ transaction, ...request }));
		return inTime('an answer of Janus', answer);
	}
}

function inTime<T>(what: string, work: Promise<T>): Promise<T> {
	let timer: NodeJS.Timeout;
	const late = new Promise<never>((_, reject) => {
		timer = setTimeout(() => reject(new Error(`not in ${PATIENCE / 1_000} s: ${what}`)), PATIENCE);
	});
	return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** A connection with the echo test. */
class Echo {
	readonly connection = new RTCPeerConnection();
	readonly channel = this.connection.createDataChannel('JanusDataChannel');
	readonly #janus: Janus;
	readonly #path: { session_id: number; handle_id: number };

	static async open(janus: Janus): Promise<Echo> {
		const session = (await janus.ask({ janus: 'create' })).data!.id;
		const plugin = 'janus.plugin.echotest';
		const handle = (await janus.ask({ janus: 'attach', session_id: session, plugin })).data!.id;
		return new Echo(janus, { session_id: session, handle_id: handle });
	}

	private constructor(janus: Janus, path: { session_id: number; handle_id: number }) {
		this.#janus = janus;
		this.#path = path;
		this.connection.onicecandidate = ({ candidate }) => {
			void janus.ask({ janus: 'trickle', ...path, candidate: candidate ?? { completed: true } }).catch(() => {});
		};
	}

	async negotiate(): Promise<void> {
		await this.connection.setLocalDescription();
		const body = { audio: true, video: true };
		const { jsep } = await this.#janus.ask({
			janus: 'message',
			...this.#path,
			body,
			jsep: this.connection.localDescription,
		});
		await this.connection.setRemoteDescription(jsep!);
	}

	/** Sends a track; gives the one that comes back. */
	async comesBack(track: MediaStreamTrack, mimeType?: string): Promise<MediaStreamTrack> {
		const back = new Promise<MediaStreamTrack>((resolve) => {
			this.connection.ontrack = (event) => resolve(event.track);
		});
		const transceiver = this.connection.addTransceiver(track);
		if (mimeType) {
			const { codecs } = RTCRtpReceiver.getCapabilities('video')!;
			transceiver.setCodecPreferences(codecs.filter((codec) => codec.mimeType === mimeType));
		}
		await this.negotiate();
		return inTime('a track that comes back', back);
	}

	/** The answer that Janus gives to a message of its channel. */
	async echoes(text: string): Promise<void> {
		if (this.channel.readyState !== 'open') {
			await inTime('an open channel', new Promise((resolve) => this.channel.addEventListener('open', resolve)));
		}
		const back = new Promise<string>((resolve) => {
			this.channel.onmessage = ({ data }) => resolve(data);
		});
		this.channel.send(text);
		const said = await inTime('a message that comes back', back);
		if (!said.endsWith(text)) throw new Error(`Janus said ${said}, not ${text}`);
	}

	async close(): Promise<void> {
		this.connection.close();
		await this.#janus.ask({ janus: 'destroy', session_id: this.#path.session_id });
	}
}

async function audio(echo: Echo): Promise<string> {
	const stream = await navigator.mediaDevices.getUserMedia({ audio: { frequency: TONE } as MediaTrackConstraints });
	const back = await echo.comesBack(stream.getAudioTracks()[0]!);
	const { frequency } = await listenTo(back, { frequency: TONE, seconds: 1 });
	if (Math.abs(frequency / TONE - 1) > 0.05) throw new Error(`heard ${frequency} Hz, not ${TONE}`);
	return `${Math.round(frequency)} Hz`;
}

async function video(echo: Echo, mimeType: string): Promise<string> {
	const constraints = { width: 320, height: 240, frameRate: 30, code: CODE };
	const stream = await navigator.mediaDevices.getUserMedia({ video: constraints });
	const back = await echo.comesBack(stream.getVideoTracks()[0]!, mimeType);
	const seen = await watch(back, { code: CODE, frames: 30 });
	if (seen.right < 25) throw new Error(`the code was right in ${seen.right} of ${seen.frames} frames`);
	return `${Math.round(seen.frames / seen.seconds)} fps`;
}

/** An ICE restart. */
async function reconnect(echo: Echo): Promise<string> {
	await echo.negotiate();
	await echo.echoes('before');
	const before = ufragOf(echo);
	const started = performance.now();
	echo.connection.restartIce();
	await echo.negotiate();
	await echo.echoes('after');
	if (ufragOf(echo) === before) throw new Error('Janus answered with the credentials that it had');
	return `${Math.round(performance.now() - started)} ms`;
}

function ufragOf({ connection }: Echo): string | undefined {
	return /^a=ice-ufrag:(\S+)/m.exec(connection.remoteDescription!.sdp)?.[1];
}

const does: Record<What, (echo: Echo) => Promise<string | undefined>> = {
	async data(echo) {
		await echo.negotiate();
		for (const text of ['grüße 🎈', 'x'.repeat(10_000)]) await echo.echoes(text);
		return undefined;
	},
	audio,
	vp8: (echo) => video(echo, 'video/VP8'),
	h264: (echo) => video(echo, 'video/H264'),
	reconnect,
};

const janus = await Janus.connect(await startServer());
console.log(readyLine((await janus.ask({ janus: 'info' })).version_string ?? '?'));
for await (const line of createInterface(process.stdin)) {
	const { id, what } = JSON.parse(line) as { id: number; what: What };
	try {
		const echo = await Echo.open(janus);
		const figure = await does[what](echo).finally(() => echo.close());
		console.log(JSON.stringify({ id, figure }));
	} catch (error) {
		console.log(JSON.stringify({ id, error: String(error) }));
	}
}
process.exit();
