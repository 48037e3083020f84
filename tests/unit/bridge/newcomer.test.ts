import { EventEmitter } from 'node:events';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Newcomer } from '../../../bridge/Newcomer.ts';
import type { ShimSocket } from '../../../bridge/ShimSocket.ts';

function makeSocket(): ShimSocket & EventEmitter {
	const methods = { readyState: 1, OPEN: 1, bufferedAmount: 0, send() {}, close() {}, pause() {}, resume() {} };
	return Object.assign(new EventEmitter(), methods) as unknown as ShimSocket & EventEmitter;
}

test('a verdict that is kept back is not given to who went away meanwhile', async () => {
	const [stays, leaves] = [makeSocket(), makeSocket()];
	const given: string[] = [];
	void new Newcomer(stays).wait(10).then(() => given.push('stays'));
	void new Newcomer(leaves).wait(10).then(() => given.push('leaves'));
	leaves.emit('close', 1006);
	await new Promise((resolve) => setTimeout(resolve, 50));
	assert.equal(given, ['stays']);
});

test.run();
