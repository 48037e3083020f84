/** What the soak watches: a bridge with one worker, or a shim; each answers questions over its channel to `run.ts`. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startBridge } from '../../bridge/server.ts';
import { createShim } from '../../entries/node.ts';
import { round } from './round.ts';

interface Question {
	rounds?: number;
	settle?: boolean;
}

const [, , what, url, token] = process.argv;
const end = what === 'bridge' ? await serveBridge() : serveShim();
process.once('disconnect', () => void end());

async function serveBridge(): Promise<() => Promise<void>> {
	const bridge = await startBridge({ workers: 1, spares: 0 });
	process.on('message', async ({ settle: settles }: Question) => {
		await bridge.ready;
		if (settles) await settle();
		process.send!({ url: bridge.url, token: bridge.token, worker: child(), heap: heap() });
	});
	return () => bridge.close();
}

function serveShim(): () => Promise<void> {
	const shim = createShim({ url: url!, token: token! });
	process.on('message', async ({ rounds = 0, settle: settles }: Question) => {
		for (let done = 0; done < rounds; done++) await round(shim);
		if (settles) await settle();
		process.send!({ heap: heap() });
	});
	return () => shim.close();
}

/** Lets what was closed end, and collects: what a process keeps counts, not what its collector has not seen yet. */
async function settle(): Promise<void> {
	for (let times = 0; times < 3; times++) {
		await sleep(300);
		globalThis.gc!();
	}
}

/** Bytes that JavaScript's objects have, ArrayBuffers included. */
function heap(): number {
	const { heapUsed, external } = process.memoryUsage();
	return heapUsed + external;
}

/** The process that this one has started (Linux). */
function child(): number | undefined {
	return readdirSync('/proc')
		.filter((name) => /^\d+$/.test(name))
		.map(Number)
		.find((pid) => parentOf(pid) === process.pid);
}

function parentOf(pid: number): number {
	try {
		return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[1]);
	} catch {
		return 0;
	}
}
