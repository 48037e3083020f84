import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Gate } from '../../../bridge/Gate.ts';

test('no more than its width runs at a time, in order, and a failure lets the next one in', async () => {
	const property = fc.asyncProperty(fc.integer({ min: 1, max: 5 }), fc.array(fc.boolean()), async (width, fails) => {
		const gate = new Gate(width);
		const begun: number[] = [];
		let running = 0;
		let most = 0;
		const outcomes = await Promise.allSettled(
			fails.map((isFailing, index) =>
				gate.run(async () => {
					begun.push(index);
					most = Math.max(most, ++running);
					await new Promise((resolve) => setImmediate(resolve));
					running--;
					if (isFailing) throw new Error('failed');
				}),
			),
		);
		assert.equal(begun, [...fails.keys()]);
		assert.is(most, Math.min(width, fails.length));
		assert.equal(
			outcomes.map(({ status }) => status === 'rejected'),
			fails,
		);
	});
	await fc.assert(property);
});

test.run();
