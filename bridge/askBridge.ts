import { clearInterval, setInterval } from 'node:timers';
import { Connector } from '../shim/link/Connector.ts';
import { CloseCode } from '../shim/link/frames.ts';
import type { Welcome } from '../shim/link/hello.ts';
import { namedBridge } from '../shim/link/namedBridge.ts';
import { openSocket } from './openSocket.ts';

/**
 * What a bridge welcomes a shim with; the session ends at once.
 *
 * @throws {LinkError | DOMException} the bridge cannot be reached within 5 s, or refuses, or was named wrongly
 */
export async function askBridge(url: string, token: string | undefined): Promise<Welcome> {
	// The socket keeps no process alive.
	const held = setInterval(() => {}, 2 ** 30);
	const connect = () => namedBridge(url, token, 'start one with npx aiortc-shim bridge, or unset AIORTC_SHIM_URL');
	try {
		return await new Promise<Welcome>((resolve, reject) => {
			const connector = new Connector(
				{ connect, openSocket, client: 'aiortc-shim doctor', roomSeconds: () => 0 },
				{
					welcomed(socket, welcome) {
						socket.close(CloseCode.ended, '');
						resolve(welcome);
					},
					refused: reject,
				},
			);
			connector.connect(null);
		});
	} finally {
		clearInterval(held);
	}
}
