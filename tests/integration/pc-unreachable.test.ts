/** Connections that can gather nothing: they say why, and fail. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type BridgeOptions, startBridge } from '../../bridge/server.ts';
import { createShim, type Shim } from '../../entries/node.ts';
import { makePair, negotiate, until } from './pcPair.ts';

type IceError = Pick<RTCPeerConnectionIceErrorEvent, 'errorCode' | 'errorText' | 'url' | 'address' | 'port'>;

async function withBridge(options: BridgeOptions, run: (shim: Shim) => Promise<void>): Promise<void> {
	const bridge = await startBridge({ workers: 1, spares: 0, log: () => {}, ...options });
	const shim = createShim({ url: bridge.url, token: bridge.token });
	try {
		await run(shim);
	} finally {
		await shim.close();
		await bridge.close();
	}
}

/** Collects what a connection says of candidates that it did not get. */
function iceErrors(connection: RTCPeerConnection): IceError[] {
	const errors: IceError[] = [];
	connection.onicecandidateerror = ({ errorCode, errorText, url, address, port }) =>
		errors.push({ errorCode, errorText, url, address, port });
	return errors;
}

test('a connection whose UDP ports are all taken says so, completes its gathering and fails', async () => {
	const taken = createSocket('udp4');
	taken.bind(0, '0.0.0.0');
	await once(taken, 'listening');
	const { port } = taken.address();
	try {
		await withBridge({ udpPorts: [port, port], announce: ['203.0.113.5'] }, async (shim) => {
			const pair = makePair({ Connection: shim.RTCPeerConnection });
			const errors = iceErrors(pair.offerer);
			const states: string[] = [];
			pair.offerer.onconnectionstatechange = () => states.push(pair.offerer.connectionState);
			pair.offerer.createDataChannel('chat');
			await negotiate(pair);
			await until('it has failed', () => pair.offerer.connectionState === 'failed');
			assert.equal(errors, [
				{
					errorCode: 701,
					errorText: `no UDP port of ${port}-${port} can be had at 0.0.0.0: all are in use`,
					url: '',
					address: '203.0.113.5',
					port: null,
				},
			]);
			assert.is(pair.offerer.iceGatheringState, 'complete');
			assert.not.match(pair.offerer.localDescription!.sdp, 'a=candidate');
			assert.is(states.at(-1), 'failed');
			pair.close();
		});
	} finally {
		taken.close();
	}
});

test('a token without the capability `private` has no TURN server over TCP that is at loopback', async () => {
	let knocks = 0;
	const server = createServer((socket) => {
		knocks++;
		socket.destroy();
	});
	await once(server.listen(0, '127.0.0.1'), 'listening');
	const { port } = server.address() as { port: number };
	const urls = `turn:127.0.0.1:${port}?transport=tcp`;
	try {
		for (const capabilities of [['ice'], ['ice', 'private']] as const) {
			await withBridge({ capabilities }, async (shim) => {
				const iceServers = [{ urls, username: 'user', credential: 'secret' }];
				const connection = new shim.RTCPeerConnection({ iceServers, iceTransportPolicy: 'relay' });
				const errors = iceErrors(connection);
				connection.createDataChannel('chat');
				await connection.setLocalDescription();
				await until('an error', () => errors.length > 0);
				const [{ errorCode, errorText, url }] = errors as [IceError];
				assert.equal([errorCode, url], [701, urls]);
				assert.is(/a private address.*--allow private$/.test(errorText), capabilities.length === 1, errorText);
				assert.is(knocks > 0, capabilities.length > 1, `${knocks} connections`);
				connection.close();
			});
		}
	} finally {
		server.close();
	}
});

test.run();
