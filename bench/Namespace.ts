import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { which } from '../scripts/subprocess.ts';
import type { Program } from './processes.ts';

/** Loopback, and beside it an address for peers that leave loopback out; what is sent to it goes by loopback, too. */
const SET_UP = `
ip link set lo mtu "$1" up
ip link add bench type veth peer name other
ip addr add 192.0.2.1/24 dev bench
ip link set other mtu "$1" up
ip link set bench mtu "$1" up
echo ready
exec cat
`;

/** A network of the bench's own, whose packets have at most `mtu` bytes (Linux). It ends with the process that made it. */
export class Namespace {
	readonly #holder: ChildProcess;

	/** @throws an Error that says in a sentence why there is none */
	static async make(mtu: number): Promise<Namespace> {
		if (process.platform !== 'linux') throw new Error('network namespaces are Linux’s');
		for (const [tool, bringsIt] of [
			['ip', 'iproute2'],
			['unshare', 'util-linux'],
		] as const) {
			if (!(await which(tool))) throw new Error(`${tool} is missing (apt-get install ${bringsIt})`);
		}
		const args = ['--user', '--map-root-user', '--net', 'sh', '-ec', SET_UP, 'sh', `${mtu}`];
		const holder = spawn('unshare', args, { stdio: ['pipe', 'pipe', 'pipe'] });
		let said = '';
		holder.stderr.on('data', (data) => {
			said += data;
		});
		await new Promise<void>((resolve, reject) => {
			createInterface(holder.stdout).once('line', () => resolve());
			holder.once('close', () => reject(new Error(`no network namespace: ${said.trim()}`)));
		});
		return new Namespace(holder);
	}

	private constructor(holder: ChildProcess) {
		this.#holder = holder;
	}

	/** A program that runs in this network. */
	within<P extends Program>(program: P): P {
		const target = ['--target', `${this.#holder.pid}`, '--user', '--net', '--preserve-credentials'];
		return { ...program, command: 'nsenter', args: [...target, program.command, ...program.args] };
	}

	end(): void {
		this.#holder.stdin!.end();
	}
}
