import { connect, type PeerKind, type Way } from './peer.ts';

export interface Flooded {
	/** Messages. */
	count: number;
	seconds: number;
	/** CPU seconds of all that carried them on a side. */
	sender: number;
	receiver: number;
}

/** A flood between two peers of a kind, one way. */
export async function flood(kind: PeerKind, full: number, bytes: number, way?: () => Way): Promise<Flooded> {
	const count = Math.ceil(full * (kind.share ?? 1));
	const { a, b } = await connect(kind, way);
	try {
		// What is compiled on first use, and windows that grow, are not what is measured.
		await a.ask('flood', { count: Math.ceil(count / 10), bytes });
		const [sender, receiver] = [a.cpuSeconds(), b.cpuSeconds()];
		const { seconds } = await a.ask('flood', { count, bytes });
		return { count, seconds, sender: a.cpuSeconds() - sender, receiver: b.cpuSeconds() - receiver };
	} finally {
		await Promise.all([a.end(), b.end()]);
	}
}

/** Megabytes a second, and the CPU of each side and of both for one. */
export function perMegabyte({ count, seconds, sender, receiver }: Flooded, bytes: number): Record<string, number> {
	const megabytes = (count * bytes) / 1e6;
	return {
		'MB/s': megabytes / seconds,
		'CPU ms/MB': ((sender + receiver) * 1000) / megabytes,
		'sender CPU ms/MB': (sender * 1000) / megabytes,
		'receiver CPU ms/MB': (receiver * 1000) / megabytes,
	};
}
