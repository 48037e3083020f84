/** A session of a real worker process, spoken to over its local socket. */

import type { LocalSocket } from '../../../bridge/LocalSocket.ts';
import type { WorkerEnd } from '../link/relay.ts';

/** Greets the worker, and gives what a relay needs of it. */
export function workerEnd(local: LocalSocket): WorkerEnd {
	const end: WorkerEnd = {
		onframe: null,
		send: (frame) => local.send(typeof frame === 'string' ? frame : Buffer.from(frame), typeof frame !== 'string'),
	};
	let greeted = false;
	local.onframe = (payload, binary) => {
		if (greeted) end.onframe?.(binary ? new Uint8Array(payload) : payload.toString());
		greeted = true;
	};
	end.send('{"hello":{"version":1,"session":"s","capabilities":[],"limits":{},"window":524288}}');
	return end;
}
