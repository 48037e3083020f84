/**
 * A bridge as somebody starts it in another terminal, which this process is told of by its environment. To be imported
 * before the shim: what the environment says is read at the shim's first use.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';

const COMMAND = path.resolve('scripts/aiortc-shim.cjs');

/** What its candidates say: an address that nobody here has (RFC 5737), and ports of this range. */
export const ANNOUNCED = '203.0.113.5';
export const PORTS = { lowest: 42_200, highest: 42_259 };

// The shim's modules are evaluated while this one waits.
process.env.AIORTC_SHIM_LAZY = '1';

const bridge = spawnBridge([
	...['--udp-ports', `${PORTS.lowest}-${PORTS.highest}`, '--announce', ANNOUNCED],
	...['--isolation', 'session', '--token', 'open sesame'],
]);

await readEnvironment(bridge);

export async function stopBridge(): Promise<number | null> {
	const ended = once(bridge, 'exit');
	bridge.kill('SIGINT');
	const [code] = await ended;
	return code;
}

function spawnBridge(args: string[]): ChildProcess {
	return spawn(process.execPath, [COMMAND, 'bridge', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Takes the variables that it prints. */
async function readEnvironment({ stdout }: ChildProcess): Promise<void> {
	const lines = createInterface({ input: stdout! });
	for await (const line of lines) {
		const [, name, value] = /^(AIORTC_SHIM_\w+)=(.*)$/.exec(line) ?? [];
		if (name) process.env[name] = value;
		if (name === 'AIORTC_SHIM_TOKEN') return;
	}
	throw new Error('the bridge ended');
}
