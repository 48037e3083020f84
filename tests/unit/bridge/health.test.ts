import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Health } from '../../../bridge/health.ts';

/** A worker that is asked, and answers while it is told to. */
function watched() {
	const asked: number[] = [];
	let hangs = 0;
	const health = new Health(
		(line) => asked.push(JSON.parse(line).ping),
		() => hangs++,
		0,
	);
	let now = 0;
	return {
		health,
		asked,
		answer: () => health.heard(JSON.stringify({ pong: asked.at(-1), lag: 0.01, memory: 90_000_000 })),
		pass(seconds: number, step = 1_000) {
			for (const end = now + seconds * 1_000; now < end; ) {
				now += step;
				health.tick(now);
			}
		},
		get hangs() {
			return hangs;
		},
	};
}

test('a worker that answers is asked once a second, and tells its lag and memory', () => {
	const worker = watched();
	for (let second = 0; second < 20; second++) {
		worker.pass(1);
		worker.answer();
	}
	assert.is(worker.asked.length, 20);
	assert.is(worker.hangs, 0);
	assert.equal(worker.health.report, { pong: 20, lag: 0.01, memory: 90_000_000 });
});

test('a worker that is silent for 5 s hangs, once, and is doubted before', () => {
	const worker = watched();
	worker.pass(1);
	assert.ok(worker.health.answers);
	worker.pass(2);
	assert.not(worker.health.answers);
	worker.pass(2);
	assert.is(worker.hangs, 0);
	worker.pass(1);
	assert.is(worker.hangs, 1);
	worker.pass(10);
	assert.is(worker.hangs, 1);
});

test('an answer within the 5 s takes the doubt away', () => {
	const worker = watched();
	worker.pass(5);
	assert.not(worker.health.answers);
	worker.answer();
	worker.pass(1);
	assert.ok(worker.health.answers);
	worker.answer();
	worker.pass(4);
	assert.is(worker.hangs, 0);
});

test('time in which this process did not run counts for nothing', () => {
	const worker = watched();
	worker.pass(1);
	worker.pass(3_600, 60_000);
	assert.is(worker.hangs, 0);
	worker.pass(5);
	assert.is(worker.hangs, 1);
});

test('an answer to an older question is no answer', () => {
	const worker = watched();
	worker.pass(1);
	worker.answer();
	worker.pass(1);
	worker.health.heard(JSON.stringify({ pong: 1, lag: 0, memory: null }));
	worker.pass(5);
	assert.is(worker.hangs, 1);
});

test('what a worker prints beside its answers is no answer, and no harm', () => {
	const asked: string[] = [];
	const health = new Health(
		(line) => asked.push(line),
		() => {},
		0,
	);
	health.tick(1_000);
	for (const line of ['a library says hello', '', 'null', '7', '{"pong":']) health.heard(line);
	assert.is(health.report, null);
	health.heard('{"pong":1,"lag":0,"memory":null}');
	assert.equal(health.report, { pong: 1, lag: 0, memory: null });
});

test.run();
