/** PeerJS's own server in a process of its own, since its timers never end: prints its port, and ends with its input. */
import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';

interface Peer {
	PeerServer(options: { host: string; port: number }, onListening: (server: Server) => void): void;
}

const { PeerServer } = createRequire(import.meta.url)('peer') as Peer;
PeerServer({ host: '127.0.0.1', port: 0 }, (server) => console.log((server.address() as AddressInfo).port));
process.stdin.on('end', () => process.exit()).resume();
