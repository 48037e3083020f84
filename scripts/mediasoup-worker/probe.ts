import { spawn } from 'node:child_process';

/** What mediasoup-worker exits with when started without MEDIASOUP_VERSION (worker/src/main.cpp). */
const EXIT_WITHOUT_VERSION = 41;

/** Whether a file is a mediasoup-worker that this machine can run; one linked to libraries since upgraded is not. */
export function runsHere(binary: string): Promise<boolean> {
	return new Promise((resolve) => {
		// Unlike spawn's own timeout, this signal's timer keeps no process that has nothing else to do.
		const child = spawn(binary, [], { env: {}, stdio: 'ignore', signal: AbortSignal.timeout(10_000) });
		child.once('error', () => resolve(false));
		child.once('close', (code) => resolve(code === EXIT_WITHOUT_VERSION));
	});
}
