/** Where a shim of several sessions puts what is new; no bridge answers here. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Sessions } from '../../entries/sessions.ts';
import type { Scope } from '../../shim/rpc/Scope.ts';
import type { Session } from '../../shim/rpc/Session.ts';

class Spread {
	readonly #sessions: Sessions;
	readonly #seen: Session[] = [];

	constructor(count: number) {
		this.#sessions = new Sessions({ connect: () => new Promise(() => {}) }, count);
	}

	/** The index, by age, of the session for what comes next. */
	next(): number {
		const session = this.#sessions.session();
		if (!this.#seen.includes(session)) this.#seen.push(session);
		return this.#seen.indexOf(session);
	}

	/** A connection, and what it encodes. */
	connect(encodes = 0): { index: number; scope: Scope; close(): void } {
		const index = this.next();
		const scope = this.#seen[index]!.scope.child();
		scope.weight = 1;
		scope.child().weight = encodes;
		return { index, scope, close: () => scope.dispose() };
	}
}

/** How often each index comes. */
function counts(indexes: number[], count: number): number[] {
	return Array.from({ length: count }, (_, index) => indexes.filter((each) => each === index).length);
}

test('what is made ahead of a connection is made where that will be', () => {
	const spread = new Spread(3);
	for (let made = 0; made < 10; made++) {
		const ahead = spread.next();
		assert.is(spread.next(), ahead);
		assert.is(spread.connect().index, ahead);
	}
});

test('a program with one connection at a time has one session', () => {
	const spread = new Spread(3);
	for (let made = 0; made < 5; made++) {
		const { index, close } = spread.connect(12);
		assert.is(index, 0);
		close();
	}
});

for (const count of [2, 3, 4]) {
	test(`connections in pairs, one to send and one to receive, are spread over ${count} sessions as they are made, and by what they send`, () => {
		for (const encodes of [0, 12]) {
			const spread = new Spread(count);
			const pairs = Array.from({ length: 12 * count }, () => {
				const sends = spread.connect();
				const receives = spread.connect();
				// It is told what to send when both are there.
				sends.scope.child().weight = encodes;
				return [sends.index, receives.index];
			});
			const sending = counts(
				pairs.map(([sends]) => sends!),
				count,
			);
			assert.ok(Math.max(...sending) - Math.min(...sending) <= 1, `${sending} send ${encodes}`);
		}
	});
}

test('what ends makes room', () => {
	const spread = new Spread(2);
	const [first, second, third] = [spread.connect(12), spread.connect(12), spread.connect(12)];
	assert.is(third.index, 1);
	assert.is(spread.next(), 0);
	second.close();
	third.close();
	assert.is(spread.next(), 1);
	first.close();
	assert.is(spread.next(), 0);
});

test.run();
