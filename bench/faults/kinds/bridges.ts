/** What happens to the bridge itself. */
import { existsSync } from 'node:fs';
import { expect, type Fault, failure, type Outcome, pause, seconds, within } from '../fault.ts';
import { RawSession } from '../RawSession.ts';
import type { Scene } from '../Scene.ts';

/** A bridge that is not there is tried for its grace time. */
const GIVEN_UP_MS = 40_000;

export const bridges: Fault[] = [
	{
		name: 'bridge killed',
		expected: 'no worker is left, what was made ends, and with the next bridge it works again',
		where: 'apart',
		scene: { neighbours: 0 },
		inject: kill,
	},
	{
		name: 'nobody reads the log',
		expected: 'the bridge goes on',
		where: 'beside',
		scene: {},
		inject: closeLog,
	},
];

async function kill(scene: Scene): Promise<Outcome> {
	const culprit = await scene.culprit();
	const { workers } = scene.bridge;
	await scene.bridge.kill();
	const gone = await within(10_000, () => workers.every((pid) => !existsSync(`/proc/${pid}`)));
	expect(gone, 'workers outlive their bridge');
	await scene.restart();
	await culprit.end(GIVEN_UP_MS);
	const recovered = await culprit.recover();
	return { seen: `again after ${seconds(recovered)}`, end: culprit.events.join(', ') };
}

async function closeLog(scene: Scene): Promise<Outcome> {
	scene.bridge.closeLog();
	for (let count = 0; count < 5; count++) {
		const session = await RawSession.open(scene.bridge.url, scene.token);
		session.send('what the worker logs');
		await session.closed;
		await pause(200);
	}
	expect(scene.bridge.isAlive, 'the bridge ended');
	const refused = await failure(scene.culprit(), 15_000);
	expect(!refused, `no session: ${refused?.message}`);
	return { seen: 'it goes on', end: '' };
}
