/** A TURN server on loopback: UDP and TCP on one port, TLS on another, with a certificate that this run made. */
import { type ChildProcess, spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const USER = 'interop';
const PASSWORD = 'a password of this run';
const HOST = '127.0.0.1';
const START_MS = 10_000;
const TAIL = 5;

export class Coturn {
	readonly #child: ChildProcess;
	readonly #ports: { plain: number; tls: number };

	/** @param folder has `certificate.pem` and `key.pem` */
	static async start(folder: string): Promise<Coturn> {
		const ports = { plain: await freePort(), tls: await freePort() };
		const coturn = new Coturn(folder, ports);
		await coturn.#listening();
		return coturn;
	}

	private constructor(folder: string, ports: { plain: number; tls: number }) {
		this.#ports = ports;
		const flags = ['no-cli', 'lt-cred-mech', 'allow-loopback-peers', 'no-multicast-peers', 'fingerprint', 'no-dtls'];
		const values = {
			'listening-ip': HOST,
			'relay-ip': HOST,
			'listening-port': ports.plain,
			'tls-listening-port': ports.tls,
			realm: 'interop',
			user: `${USER}:${PASSWORD}`,
			cert: join(folder, 'certificate.pem'),
			pkey: join(folder, 'key.pem'),
			'log-file': 'stdout',
			pidfile: join(folder, 'turnserver.pid'),
			userdb: join(folder, 'turn.db'),
		};
		const args = [
			...flags.map((flag) => `--${flag}`),
			...Object.entries(values).map(([name, value]) => `--${name}=${value}`),
		];
		this.#child = spawn('turnserver', ['-n', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
		process.once('exit', () => this.#child.kill('SIGKILL'));
	}

	readonly server = (transport: 'udp' | 'tcp' | 'tls'): RTCIceServer => ({
		urls:
			transport === 'tls'
				? `turns:${HOST}:${this.#ports.tls}?transport=tcp`
				: `turn:${HOST}:${this.#ports.plain}?transport=${transport}`,
		username: USER,
		credential: PASSWORD,
	});

	async close(): Promise<void> {
		const ended = new Promise((resolve) => this.#child.once('close', resolve));
		this.#child.kill('SIGKILL');
		await ended;
	}

	/** It logs no line that says so. */
	async #listening(): Promise<void> {
		const said: string[] = [];
		let ended = false;
		this.#child.once('error', (error) => said.push(String(error)));
		this.#child.once('close', () => {
			ended = true;
		});
		for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
			createInterface({ input: stream }).on('line', (line) => {
				said.push(line);
				if (said.length > TAIL) said.shift();
			});
		}
		for (const limit = performance.now() + START_MS; !(await accepts(this.#ports.tls)); ) {
			if (ended || performance.now() > limit) {
				this.#child.kill('SIGKILL');
				throw new Error(`coturn did not start: ${said.join(' | ')}`);
			}
			await new Promise((resolve) => setTimeout(resolve, 50));
		}
	}
}

function accepts(port: number): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = connect(port, HOST);
		socket.once('error', () => resolve(false));
		socket.once('connect', () => {
			socket.destroy();
			resolve(true);
		});
	});
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
	const { port } = server.address() as { port: number };
	await new Promise((resolve) => server.close(resolve));
	return port;
}
