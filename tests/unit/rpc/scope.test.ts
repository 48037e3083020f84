import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Scope } from '../../../shim/rpc/Scope.ts';
import { Session } from '../../../shim/rpc/Session.ts';
import { eventually } from '../link/eventually.ts';
import { FakeWorker } from '../link/fakeWorker.ts';
import { Relay } from '../link/relay.ts';

interface TextFrame {
	new?: number;
	type?: string;
	call?: number;
	drop?: number;
	in?: unknown;
}

function open() {
	const worker = new FakeWorker();
	const relay = new Relay(worker);
	let held = 0;
	const keepAlive = { ref: () => void held++, unref: () => void held-- };
	const connect = () => ({ url: 'memory:', token: 'secret' });
	const session = new Session({ connect, openSocket: relay.open, patienceSeconds: 0.1, keepAlive });
	const frames = (): TextFrame[] => worker.frames.map((frame) => JSON.parse(frame as string));
	return { session, frames, isHeld: () => held > 0 };
}

const ICE = { usernameFragment: 'u', password: 'p', role: 'controlling' } as const;

/** A whole connection's objects, made in the order in which negotiation makes them. */
function connection(scope: Scope) {
	const certificate = scope.create('Certificate', {});
	const transceiver = scope.child();
	const sender = transceiver.create('RtpSender', { kind: 'audio' });
	const transport = scope.child();
	const ice = transport.create('IceTransport', ICE);
	const dtls = transport.create('DtlsTransport', { ice, certificate });
	const association = scope.child();
	const sctp = association.create('SctpTransport', { dtls });
	const channel = association.create('DataChannel', { transport: sctp });
	return { certificate, sender, ice, dtls, sctp, channel, transceiver, transport, association };
}

test('a scope that ends drops the objects of its whole subtree, and each before what it stands on', async () => {
	const { session, frames } = open();
	const scope = session.scope.child();
	const made = connection(scope);
	session.create('MediaSource', { type: 'test', video: {} });
	scope.dispose();
	scope.dispose();
	await eventually('frames', () => frames().length === 13);
	const { sender, sctp, channel, dtls, ice, certificate } = made;
	assert.equal(
		frames().flatMap(({ drop }) => drop ?? []),
		[sender, sctp, channel, dtls, ice, certificate].map(({ id }) => id),
	);
	await session.close();
});

test('an object that was dropped, and a scope that has ended, are not ended again by what is above them', async () => {
	const { session, frames } = open();
	const scope = session.scope.child();
	const { channel, transport, ice, dtls } = connection(scope);
	channel.drop();
	transport.dispose();
	scope.dispose();
	await eventually('frames', () => frames().length === 12);
	const drops = frames().flatMap(({ drop }) => drop ?? []);
	assert.equal(drops.slice(0, 3), [channel.id, dtls.id, ice.id]);
	assert.is(new Set(drops).size, 6);
	await session.close();
});

test('what a scope makes after its end is dead: no frame, rejected calls, and a word that it is lost', async () => {
	const { session, frames } = open();
	const scope = session.scope.child();
	scope.dispose();
	const dead = scope.child().create('FrameWriter', { source: 1 as never });
	const lost = new Promise<Error>((resolve) => {
		dead.onlost = resolve;
	});
	dead.send('x');
	dead.credit(1);
	assert.not(
		dead.sendMedia(
			{ timestamp: 0, duration: null, format: 'I420', width: 2, height: 2, rotation: 0 },
			new Uint8Array(6),
		),
	);
	await dead.mediaRoom();
	const call = await dead.call('nothing' as never, {} as never).catch((error: DOMException) => error);
	assert.is((call as DOMException).name, 'InvalidStateError');
	assert.match((await lost).message, 'ended');
	dead.drop();
	void session.root.call('ping', {}).catch(() => {});
	await eventually('the next frame', () => frames().length > 0);
	assert.equal(frames().map(Object.keys), [['call', 'on', 'do', 'in']]);
	await session.close();
});

test('a hold ends with its scope or before, once, and a scope that has ended holds nothing', () => {
	const { session, isHeld } = open();
	const scope = session.scope.child();
	const release = scope.hold();
	scope.child().hold();
	release();
	release();
	assert.ok(isHeld());
	scope.dispose();
	assert.not(isHeld());
	scope.hold();
	assert.not(isHeld());
});

test('what was deferred runs once, when the objects are gone', () => {
	const { session } = open();
	const scope = session.scope.child();
	const log: string[] = [];
	scope.defer(() => log.push('first'));
	scope.defer(() => log.push('early'))();
	scope.child().defer(() => log.push('inner'));
	scope.dispose();
	scope.defer(() => log.push('late'));
	assert.equal(log, ['early', 'inner', 'first', 'late']);
});

test("a session's end ends all of its scopes, after every object has heard that it is lost", async () => {
	const { session, isHeld } = open();
	const scope = session.scope.child();
	const log: string[] = [];
	scope.hold();
	scope.defer(() => log.push('scope'));
	scope.create('Certificate', {}).onlost = () => log.push('object');
	session.onfailure = () => log.push('session');
	await session.close();
	await eventually('the end', () => log.length === 3);
	assert.equal(log, ['object', 'scope', 'session']);
	assert.ok(scope.isDisposed);
	assert.not(isHeld());
});

test('a handle is sent as its id, also from deep inside of parameters', async () => {
	const { session, frames } = open();
	const source = session.create('MediaSource', { type: 'test', video: {} });
	const track = session.create('Track', { source, kind: 'video' });
	const sender = session.create('RtpSender', { kind: 'video' });
	void sender.call('replaceTrack', { track });
	void session.root.call('ping', { deep: [{ track }] } as never);
	await eventually('frames', () => frames().length === 5);
	assert.equal(
		frames()
			.map((frame) => frame.in)
			.slice(1),
		[{ source: source.id, kind: 'video' }, { kind: 'video' }, { track: track.id }, { deep: [{ track: track.id }] }],
	);
	await session.close();
});

test('a handle of another session is refused where it is written, and nothing is sent or made of it', async () => {
	const [ours, theirs] = [open(), open()];
	const foreign = theirs.session.create('Track', { source: 1 as never, kind: 'audio' });
	const sender = ours.session.create('RtpSender', { kind: 'audio' });
	const refused = (error: Error) =>
		error.name === 'InvalidStateError' && /Track 1 of another session/.test(error.message);
	assert.throws(() => void sender.call('replaceTrack', { track: foreign }), refused);
	assert.throws(() => ours.session.create('RtpSender', { kind: 'audio', track: foreign }), refused);
	assert.throws(() => ours.session.create('FrameReader', { track: foreign }), refused);
	const next = ours.session.create('RtpReceiver', { kind: 'audio' });
	assert.is(next.id, sender.id + 1);
	await eventually('frames', () => ours.frames().length === 2);
	assert.equal(
		ours.frames().map(({ type }) => type),
		['RtpSender', 'RtpReceiver'],
	);
	await Promise.all([ours.session.close(), theirs.session.close()]);
});

test.run();
