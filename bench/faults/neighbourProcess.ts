/** A process of honest sessions, which answers what `Neighbours.ts` asks. */
import { Neighbour, type NeighbourOptions, type Seen } from './Neighbour.ts';

/** What is asked; each is answered once. */
export type Question = { connect: NeighbourOptions[] } | { do: 'pause' | 'close' };

const neighbours: Neighbour[] = [];

process.on('message', async (question: Question) => {
	const answer = await ('connect' in question ? connect(question.connect) : does[question.do]()).catch(
		(error: Error): Seen[] => [{ trips: [], lost: 0, problems: [error.message] }],
	);
	process.send!(answer);
	if ('do' in question && question.do === 'close') process.disconnect();
});
process.once('disconnect', () => process.exit());

async function connect(options: NeighbourOptions[]): Promise<Seen[]> {
	for (const each of options) {
		const neighbour = new Neighbour(each);
		neighbours.push(neighbour);
		await neighbour.connect();
	}
	return [];
}

const does = {
	/** Pauses, and goes on at once: what was under way has come or is lost. */
	async pause(): Promise<Seen[]> {
		const seen = await Promise.all(neighbours.map((neighbour) => neighbour.pause()));
		for (const neighbour of neighbours) neighbour.resume();
		return seen;
	},
	async close(): Promise<Seen[]> {
		await Promise.all(neighbours.map((neighbour) => neighbour.close()));
		return [];
	},
};
