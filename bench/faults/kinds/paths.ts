/** What happens between a shim and its bridge. */
import { expect, type Fault, type Outcome, pause, seconds } from '../fault.ts';
import { Neighbour } from '../Neighbour.ts';
import { type Cut, Path } from '../Path.ts';
import type { Scene } from '../Scene.ts';

const CUTS = 20;
/** Between two cuts: a little more than a shim takes to be back. */
const BETWEEN_MS = 250;
/** By when a path that has died without a word is to be left. */
const NOTICED_MS = 25_000;

const often = (name: string, how: Cut): Fault => ({
	name,
	expected: `${CUTS} times, and every message once`,
	where: 'beside',
	inject: (scene) =>
		throughPath(scene, async (path) => {
			for (let cut = 0; cut < CUTS; cut++) {
				path.cut(how);
				await pause(BETWEEN_MS);
			}
			expect(path.connections > CUTS / 2, `only ${path.connections} connections`);
		}),
});

const silent = (name: string, lose: (path: Path) => void): Fault => ({
	name,
	expected: `left within ${NOTICED_MS / 1000} s, and every message once`,
	where: 'beside',
	inject: (scene) =>
		throughPath(scene, async (path) => {
			lose(path);
			const start = performance.now();
			while (path.connections === 1) {
				expect(performance.now() - start < NOTICED_MS, `not noticed in ${NOTICED_MS / 1000} s`);
				await pause(50);
			}
		}),
});

export const paths: Fault[] = [
	often('path reset', 'reset'),
	often('path ended', 'end'),
	often('path cut in a frame', 'halfway'),
	silent('path half seen', (path) => path.cut('half seen')),
	silent('path loses what goes to the bridge', (path) => path.lose('up')),
	silent('path loses what goes to the shim', (path) => path.lose('down')),
];

/** An honest session over a path of its own, of which nothing may be lost. */
async function throughPath(scene: Scene, breaks: (path: Path) => Promise<void>): Promise<Outcome> {
	const path = await Path.start(scene.bridge.port);
	const session = new Neighbour({ url: path.url, token: scene.token, video: false, period: 50 });
	scene.later(() => path.close());
	scene.later(() => session.close());
	await session.connect();
	const start = performance.now();
	await breaks(path);
	const noticed = performance.now() - start;
	await pause(500);
	const { trips, lost, problems } = await session.pause();
	const longest = Math.max(...trips);
	expect(problems.length === 0, problems[0]!);
	expect(lost === 0, `${lost} messages did not come back`);
	const seen = `${seconds(noticed)}, ${path.connections} connections, ${trips.length} messages, one waited ${seconds(longest)}`;
	return { seen, end: '' };
}
