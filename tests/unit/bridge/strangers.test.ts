import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { remoteAddress } from '../../../bridge/remoteAddress.ts';
import { Strangers } from '../../../bridge/Strangers.ts';

/** A table of `most` strangers, whose connections have names. */
function table(most: number) {
	const gone: string[] = [];
	const told: string[] = [];
	const streams = new Map<string, Duplex>();
	const strangers = new Strangers((address) => told.push(address), most);
	const come = (name: string, address: string) => {
		const stream = new EventEmitter() as unknown as Duplex;
		stream.destroy = () => {
			gone.push(name);
			stream.emit('close');
			return stream;
		};
		streams.set(name, stream);
		strangers.add(stream, address);
	};
	return { strangers, gone, told, come, stream: (name: string) => streams.get(name)! };
}

test('of too many the oldest of the address that has most of them goes', () => {
	const { gone, told, come } = table(5);
	come('other', 'b');
	for (const name of ['a1', 'a2', 'a3', 'a4']) come(name, 'a');
	assert.equal(gone, []);
	come('newcomer', 'c');
	come('a5', 'a');
	assert.equal(gone, ['a1', 'a2']);
	assert.equal(told, ['a', 'a']);
});

test('of addresses that have equally many, the one whose oldest came first gives way', () => {
	const { gone, come } = table(4);
	for (const [name, address] of [
		['a1', 'a'],
		['b1', 'b'],
		['b2', 'b'],
		['a2', 'a'],
		['c1', 'c'],
	] as const) {
		come(name, address);
	}
	assert.equal(gone, ['a1']);
	come('c2', 'c');
	assert.equal(gone, ['a1', 'b1']);
});

test('who is no stranger any more, or gone, has no place, and is never closed for another', () => {
	const { strangers, gone, come, stream } = table(2);
	come('known', 'a');
	strangers.delete(strangers.of(stream('known'))!);
	come('gone', 'a');
	stream('gone').emit('close');
	assert.is(strangers.size, 0);
	come('first', 'a');
	come('second', 'a');
	come('third', 'a');
	assert.equal(gone, ['first']);
	assert.is(strangers.size, 2);
});

test('what was to be done instead of destroying the connection is done', () => {
	const { strangers, gone, come, stream } = table(1);
	come('first', 'a');
	strangers.of(stream('first'))!.dismiss = () => gone.push('politely');
	come('second', 'a');
	assert.equal(gone, ['politely']);
});

test('however many come, there are no more than there may be, and an address within its share loses none', () => {
	const arrivals = fc.array(fc.constantFrom('a', 'a', 'a', 'a', 'b', 'c', 'd'), { maxLength: 200 });
	fc.assert(
		fc.property(arrivals, (addresses) => {
			const most = 20;
			const { strangers, gone, come } = table(most);
			const count = new Map<string, number>();
			for (const [index, address] of addresses.entries()) {
				come(`${address}${index}`, address);
				count.set(address, (count.get(address) ?? 0) + 1);
				assert.ok(strangers.size <= most);
			}
			// Four addresses: each may have a quarter, whatever the others do.
			const within = [...count].filter(([, n]) => n <= most / 4).map(([address]) => address);
			assert.not(gone.some((name) => within.includes(name[0]!)));
			assert.is(gone.length, Math.max(0, addresses.length - most));
		}),
	);
});

test('an address of IPv4 counts for itself, mapped or not, one of IPv6 for its /64', () => {
	const cases = [
		['192.0.2.1', '192.0.2.1'],
		['::ffff:192.0.2.1', '192.0.2.1'],
		['::FFFF:192.0.2.1', '192.0.2.1'],
		['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
		['2001:db8:1:2::', '2001:db8:1:2::/64'],
		['2001:db8::1', '2001:db8::/64'],
		['2001:db8:0:1::7', '2001:db8:0:1::/64'],
		['fe80::1%eth0', 'fe80::/64'],
		['::1', '::/64'],
		['64:ff9b::192.0.2.1', '64:ff9b::/64'],
		['', ''],
	];
	for (const [address, expected] of cases) assert.is(remoteAddress(address), expected, address);
	assert.is(remoteAddress(undefined), '');
});

test('addresses of IPv6 count for the same when their first 64 bits are the same, and only then', () => {
	const group = fc.integer({ min: 0, max: 0xffff });
	const groups = fc.array(fc.oneof(fc.constant(0), group), { minLength: 8, maxLength: 8 });
	const text = (all: number[]) => new URL(`http://[${all.map((n) => n.toString(16)).join(':')}]`).hostname.slice(1, -1);
	fc.assert(
		fc.property(groups, groups, (a, b) => {
			assert.is(remoteAddress(text(a)), remoteAddress(text([...a.slice(0, 4), ...b.slice(4)])));
			const isSame = a.slice(0, 4).every((each, index) => each === b[index]);
			assert.is(remoteAddress(text(a)) === remoteAddress(text(b)), isSame);
		}),
	);
});

test.run();
