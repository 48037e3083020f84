/** By what a host's tasks are queued. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { queueTask, taskQueue } from '../../shim/webidl/task.ts';

/** Open ports keep the process. */
const ports: MessagePort[] = [];
class ClosedAtTheEnd extends MessageChannel {
	constructor() {
		super();
		ports.push(this.port1);
	}
}
test.after(() => {
	for (const port of ports) port.close();
});

test('tasks run in the order of the calls, each after the promises before it', async () => {
	for (const queue of [queueTask, taskQueue({ MessageChannel: ClosedAtTheEnd })]) {
		const log: string[] = [];
		await new Promise<void>((resolve) => {
			queue(() => void Promise.resolve().then(() => log.push('promise of the first')));
			queue(() => log.push('second'));
			queue(resolve);
			log.push('now');
		});
		assert.equal(log, ['now', 'promise of the first', 'second']);
	}
});

test('a page that has a scheduler queues by it, and reports what a task throws', async () => {
	const reported: unknown[] = [];
	const queue = taskQueue({
		scheduler: { postTask: async (work) => work() },
		MessageChannel: class {
			constructor() {
				throw new Error('not by messages');
			}
		} as unknown as typeof MessageChannel,
		reportError: (error) => reported.push(error),
	});
	let ran = false;
	queue(() => {
		ran = true;
	});
	queue(() => {
		throw 'up';
	});
	await new Promise(setImmediate);
	assert.equal([ran, reported], [true, ['up']]);
});

test.run();
