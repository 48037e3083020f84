import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';

/** A PeerServer on a port of loopback. */
export class PeerServer {
	readonly port: number;
	readonly #process: ChildProcess;

	private constructor(process: ChildProcess, port: number) {
		this.#process = process;
		this.port = port;
	}

	static async start(): Promise<PeerServer> {
		const script = path.join(import.meta.dirname, 'serve.ts');
		const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
		const [line] = await Promise.race([
			once(createInterface({ input: child.stdout }), 'line'),
			once(child, 'close').then(([code]) => Promise.reject(new Error(`the PeerServer ended with ${code}`))),
		]);
		return new PeerServer(child, Number(line));
	}

	async stop(): Promise<void> {
		const closed = once(this.#process, 'close');
		this.#process.stdin!.end();
		await closed;
	}
}
