import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import envPaths from 'env-paths';
import type { Bridge } from '../../../bridge/server.ts';
import { collect } from './collect.ts';
import type { Environment } from './results.ts';

const CHILD = join(import.meta.dirname, 'nodeChild.ts');
/** Compiled jsdom and shim: a process is there in half the time. */
const NODE_COMPILE_CACHE = join(envPaths('aiortc-shim', { suffix: '' }).cache, 'compiled');
const KEPT_OUTPUT = 2_000;
/** For its goodbye to the bridge. */
const EXIT_MS = 1_000;

/** jsdom windows with the shim's globals, each in a process of its own: a hang or a crash loses one file only. */
export function nodeEnvironment(origin: string, bridge: Bridge): Environment {
	return {
		version: async () => `jsdom on Node ${process.version}`,

		async run(url, timeoutMs, patience) {
			const child = fork(CHILD, [origin + url, String(patience)], {
				execArgv: ['--expose-gc', '--no-warnings'],
				stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
				env: { ...process.env, NODE_COMPILE_CACHE, AIORTC_SHIM_URL: bridge.url, AIORTC_SHIM_TOKEN: bridge.token },
			});
			let output = '';
			for (const stream of [child.stdout!, child.stderr!]) {
				stream.on('data', (data) => {
					output = (output + data).slice(-KEPT_OUTPUT);
				});
			}
			const outcome = await collect(timeoutMs, (collector) => {
				child.on('message', (message) => collector.receive(String(message)));
				child.on('exit', (code, signal) => collector.end('CRASH', `process ended: ${signal ?? code}`));
			});
			await ended(child);
			return output ? { ...outcome, output } : outcome;
		},

		close: async () => {},
	};
}

async function ended(child: ChildProcess): Promise<void> {
	if (child.exitCode !== null || child.signalCode !== null) return;
	const exit = new Promise((resolve) => child.once('exit', resolve));
	if (child.connected) child.disconnect();
	const timer = setTimeout(() => child.kill('SIGKILL'), EXIT_MS);
	await exit;
	clearTimeout(timer);
}
