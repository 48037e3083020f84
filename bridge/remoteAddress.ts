import { isIPv6 } from 'node:net';

/**
 * For whom a connection counts: an IPv4 address, or the /64 of an IPv6 one, of which a single customer has all addresses.
 *
 * @param address as a socket has it; an IPv4 address may be mapped into IPv6 (`::ffff:192.0.2.1`)
 */
export function remoteAddress(address = ''): string {
	const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
	if (mapped) return mapped;
	if (!isIPv6(address)) return address;
	// The URL parser writes the address in its one canonical form, without the zone that it does not take.
	const [head = '', tail = ''] = canonical(address.replace(/%.*/, '')).split('::');
	const [first, last] = [head, tail].map((part) => part.split(':').filter(Boolean)) as [string[], string[]];
	const groups = [...first, ...Array<string>(8 - first.length - last.length).fill('0'), ...last];
	return `${canonical(`${groups.slice(0, 4).join(':')}::`)}/64`;
}

function canonical(address: string): string {
	return new URL(`http://[${address}]`).hostname.slice(1, -1);
}
