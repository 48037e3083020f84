import { connect, type PeerKind } from './peer.ts';

/** A flood between two peers of a kind, one way: the messages, their seconds, and the CPU seconds of all that carried them. */
export async function flood(
	kind: PeerKind,
	full: number,
	bytes: number,
): Promise<{ count: number; seconds: number; cpu: number }> {
	const count = Math.ceil(full * (kind.share ?? 1));
	const { a, b } = await connect(kind);
	// What is compiled on first use, and windows that grow, are not what is measured.
	await a.ask('flood', { count: Math.ceil(count / 10), bytes });
	const before = a.cpuSeconds() + b.cpuSeconds();
	const { seconds } = await a.ask('flood', { count, bytes });
	const cpu = a.cpuSeconds() + b.cpuSeconds() - before;
	await Promise.all([a.end(), b.end()]);
	return { count, seconds, cpu };
}
