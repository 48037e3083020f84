/** Everything at once: one token's sessions are culprits, and the sessions of the others are not to feel it. */
import { expect, type Fault, type Outcome, pause } from '../fault.ts';
import type { Scene } from '../Scene.ts';
import { paths } from './paths.ts';
import { peers } from './peers.ts';
import { sessions } from './sessions.ts';
import { strangers } from './strangers.ts';
import { workers } from './workers.ts';

/** Of eight tokens: the culprit's, that of who comes meanwhile, and six. */
const HONEST_TOKENS = 6;
/** On two cores everything waits for everything: what is told of latency is for people to judge. */
const PATIENCE_MS = 60_000;

/** @param size how many honest sessions, and for how long */
export function hundred({ honest, seconds }: { honest: number; seconds: number }): Fault[] {
	const scene = { neighbours: honest, honestTokens: HONEST_TOKENS, processes: Math.min(4, honest), period: 500 };
	const kills = workers.filter(({ name }) => /stopped|loops|killed/.test(name));
	const others = [...paths, ...sessions, ...strangers, ...peers].filter(
		({ name }) => name !== 'all workers for one token',
	);
	return [
		{
			name: 'a hundred sessions of eight tokens, apart',
			expected: `all of it at once for ${seconds} s, the culprit's worker killed again and again`,
			where: 'apart',
			scene: { ...scene, workers: HONEST_TOKENS + 2 },
			patience: PATIENCE_MS,
			inject: (scene) => allAtOnce(scene, [...kills, ...others], seconds),
		},
		{
			name: 'a hundred sessions of eight tokens, beside',
			expected: `all of it at once for ${seconds} s in three workers that all share`,
			where: 'beside',
			scene: { ...scene, workers: 3 },
			patience: PATIENCE_MS,
			inject: (scene) => allAtOnce(scene, others, seconds),
		},
	];
}

/** Repeats each fault until the time is over. What each of them is to see alone it cannot expect here. */
async function allAtOnce(scene: Scene, faults: Fault[], seconds: number): Promise<Outcome> {
	const end = performance.now() + seconds * 1000;
	let rounds = 0;
	/** With which sessions of the culprit ended or were refused. */
	const codes = new Set<string>();
	const repeat = async (fault: Fault): Promise<void> => {
		while (performance.now() < end) {
			const share = scene.share();
			const left = pause(end - performance.now()).then(() => null);
			const outcome = fault.inject(share).then(
				({ end }) => end,
				(error: Error) => error.message,
			);
			for (const [code] of (await Promise.race([outcome, left]))?.matchAll(/\b4\d{3}\b/g) ?? []) codes.add(code);
			// What is still under way ends with what it uses.
			await share.end();
			rounds++;
			await pause(100);
		}
	};
	await Promise.all(faults.map(repeat));
	expect(rounds >= faults.length, `only ${rounds} rounds of ${faults.length} faults`);
	return { seen: `${faults.length} faults, ${rounds} rounds`, end: [...codes].sort().join(', ') };
}
