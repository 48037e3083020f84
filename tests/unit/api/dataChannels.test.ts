import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Connection } from '../../../shim/api/connection.ts';
import { assignStreams, createDataChannel } from '../../../shim/api/dataChannels.ts';

/** What createDataChannel() needs of a connection whose peer takes `streamLimit` streams, of which ours are even. */
function connectionOf(streamLimit: number, firstStream: number | null = 0) {
	const connection = {
		sctp: { firstStream, streamLimit, handle: null },
		streams: new Map(),
		dataChannels: new Set(),
		createdDataChannel: true,
		isClosed: false,
	};
	const make = (id?: number) =>
		createDataChannel(connection as unknown as Connection, 'x', {
			...(id === undefined ? {} : { id }),
			negotiated: id !== undefined,
			ordered: true,
			protocol: '',
		});
	return { connection, make };
}

function refused(work: () => unknown): string {
	try {
		work();
	} catch (error) {
		return (error as Error).name;
	}
	return 'nothing';
}

test('when the identifiers of our parity are used up, the next channel is refused, until one is free again', () => {
	const { connection, make } = connectionOf(5);
	assert.equal([make().id, make().id, make().id], [0, 2, 4]);
	assert.is(refused(make), 'OperationError');
	connection.streams.delete(2);
	assert.is(make().id, 2);
	assert.is(refused(make), 'OperationError');
});

test('a negotiated identifier is nobody else’s, of whatever parity', () => {
	const { make } = connectionOf(6);
	assert.equal([make(0).id, make(3).id, make().id, make().id], [0, 3, 2, 4]);
	assert.is(
		refused(() => make(3)),
		'OperationError',
	);
	assert.is(refused(make), 'OperationError');
});

test('of the channels made before the role is known, those for which there is no identifier are told apart', () => {
	const { connection, make } = connectionOf(4, null);
	const made = [make(), make(), make()];
	assert.equal(
		made.map(({ id }) => id),
		[null, null, null],
	);
	connection.sctp.firstStream = 1;
	assert.equal(assignStreams(connection as unknown as Connection), [made[2]]);
	assert.equal(
		made.map(({ id }) => id),
		[1, 3, null],
	);
});

test.run();
