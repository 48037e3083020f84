import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DEFAULT_LIMITS, findAccess, generateToken, RateLimit } from '../../../bridge/limits.ts';

const access = (token: string) => ({ token, capabilities: [], limits: DEFAULT_LIMITS });

test('a token gives its own access, and nothing near it any', () => {
	const all = [access('alpha'), access('beta')];
	assert.is(findAccess(all, 'beta'), all[1]);
	for (const wrong of ['', 'alph', 'alphaa', 'Alpha', 'gamma']) assert.is(findAccess(all, wrong), null);
});

test('generated tokens differ, and need no quoting anywhere', () => {
	assert.is.not(generateToken(), generateToken());
	assert.match(generateToken(), /^[\w-]{43}$/);
});

test('a rate lets two seconds through at once, then refuses', () => {
	const limit = new RateLimit(10);
	const taken = Array.from({ length: 25 }, () => limit.take());
	assert.equal(taken.lastIndexOf(true), 19);
});

test('a rate fills again with time', async () => {
	const limit = new RateLimit(100);
	while (limit.take());
	await new Promise((resolve) => setTimeout(resolve, 50));
	assert.ok(limit.take());
});

test.run();
