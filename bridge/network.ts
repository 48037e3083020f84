/** Where the workers' host candidates may be, and what they say: for containers and clouds. */

import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

export interface Network {
	/** The lowest and the highest UDP port that a host candidate may have; any unless given. */
	readonly udpPorts?: readonly [number, number];
	/** Addresses under which peers reach this machine, at most one of IPv4 and one of IPv6; its own unless given. */
	readonly announce?: readonly string[];
	/** Interfaces, by name or by an address of theirs, that alone are used; all but loopback unless given. */
	readonly interfaces?: readonly string[];
}

/**
 * @throws {RangeError} ports that are no range, an address that is none, a second one of its version, an interface that
 * is not there; the message says which
 */
export function checkNetwork({ udpPorts, announce = [], interfaces = [] }: Network): void {
	if (udpPorts) checkPorts(...udpPorts);
	for (const each of announce) checkAddress(each, announce);
	for (const each of interfaces) checkInterface(each);
}

function checkPorts(low: number, high: number): void {
	const isPort = (port: number) => Number.isInteger(port) && port > 0 && port < 65_536;
	if (isPort(low) && isPort(high) && low <= high) return;
	throw new RangeError(`the UDP ports are ${low}-${high}; two from 1 to 65535 are needed, the lower one first`);
}

function checkAddress(address: string, all: readonly string[]): void {
	const version = isIP(address);
	if (!version) throw new RangeError(`${address} cannot be announced: an IP address is needed`);
	const [first, second] = all.filter((each) => isIP(each) === version);
	if (second) throw new RangeError(`${first} and ${second} cannot both be announced: one of IPv${version} is needed`);
}

function checkInterface(name: string): void {
	const all = Object.entries(networkInterfaces());
	if (all.some(([each, addresses]) => each === name || addresses?.some(({ address }) => address === name))) return;
	throw new RangeError(`there is no interface ${name}; there are ${all.map(([each]) => each).join(', ')}`);
}
