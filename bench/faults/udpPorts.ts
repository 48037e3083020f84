import { readFileSync } from 'node:fs';

/** The inodes of the UDP sockets at each port of this machine (Linux). */
export function udpPorts(): Map<number, string[]> {
	const ports = new Map<number, string[]>();
	for (const table of ['/proc/net/udp', '/proc/net/udp6']) {
		for (const line of readFileSync(table, 'utf8').trim().split('\n').slice(1)) {
			const columns = line.trim().split(/\s+/);
			const port = Number.parseInt(columns[1]!.split(':')[1]!, 16);
			ports.set(port, [...(ports.get(port) ?? []), columns[9]!]);
		}
	}
	return ports;
}
