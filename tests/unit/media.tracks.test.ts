import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
	addRemoteTrack,
	createMediaDevices,
	createRemoteStream,
	createRemoteTrack,
	endRemoteTrack,
	MediaStream,
	MediaStreamTrack,
	MediaStreamTrackEvent,
	muteRemoteTrack,
	openTrack,
	removeRemoteTrack,
} from '../../shim/media/index.ts';
import { FakeRemote, FakeSession } from './media.fakes.ts';

async function testTracks(session = new FakeSession()): Promise<{ session: FakeSession; stream: MediaStream }> {
	const stream = await createMediaDevices({ session: () => session.real }).getUserMedia({ audio: true, video: true });
	return { session, stream };
}

function eventsOf(target: EventTarget, ...types: string[]): string[] {
	const seen: string[] = [];
	for (const type of types) target.addEventListener(type, () => seen.push(type));
	return seen;
}

test('a track cannot be constructed by a page', () => {
	assert.throws(() => new MediaStreamTrack(), TypeError);
	assert.is(MediaStreamTrack.length, 0);
	assert.is(Object.prototype.toString.call(new MediaStream()), '[object MediaStream]');
});

test('a track is opened once in each session where it is used', async () => {
	const { session, stream } = await testTracks();
	const [track] = stream.getVideoTracks();
	const remote = openTrack(track!, session.real);
	assert.is(openTrack(track!, session.real), remote);
	assert.is(session.alive('MediaSource').length, 1);
	const other = new FakeSession();
	openTrack(track!, other.real);
	assert.equal(
		other.made.map(({ type }) => type),
		['MediaSource', 'Track'],
	);
	assert.equal(other.made[0]!.params, session.made[0]!.params);
	assert.equal(other.made[0]!.calls, [['open', {}]]);
});

test('enabled reaches the worker, also where the track is opened later', async () => {
	const { session, stream } = await testTracks();
	const [track] = stream.getVideoTracks();
	openTrack(track!, session.real);
	track!.enabled = false;
	track!.enabled = false;
	const other = new FakeSession();
	openTrack(track!, other.real);
	assert.equal(session.alive('Track')[0]!.calls, [['setEnabled', { enabled: false }]]);
	assert.equal(other.alive('Track')[0]!.calls, [['setEnabled', { enabled: false }]]);
});

test('stop ends a track without an event, and the source with its last track', async () => {
	const { session, stream } = await testTracks();
	const [audio] = stream.getAudioTracks();
	const [video] = stream.getVideoTracks();
	const seen = eventsOf(video!, 'ended');
	openTrack(video!, session.real);
	video!.stop();
	video!.stop();
	assert.is(video!.readyState, 'ended');
	assert.is(session.alive('Track').length, 0);
	assert.is(session.alive('MediaSource').length, 1);
	assert.is(stream.active, true);
	audio!.stop();
	assert.is(session.alive('MediaSource').length, 0);
	assert.is(stream.active, false);
	assert.equal(seen, []);
	assert.is(openTrack(video!, session.real), null);
});

test('a clone shares the source and nothing else', async () => {
	const { session, stream } = await testTracks();
	const [video] = stream.getVideoTracks();
	video!.enabled = false;
	video!.contentHint = 'detail';
	const clone = video!.clone();
	assert.is.not(clone.id, video!.id);
	assert.equal([clone.enabled, clone.contentHint, clone.label], [false, 'detail', video!.label]);
	assert.equal(clone.getSettings(), video!.getSettings());
	for (const track of stream.getTracks()) track.stop();
	assert.is(clone.readyState, 'live');
	assert.is(session.alive('MediaSource').length, 1);
	clone.stop();
	assert.is(session.alive('MediaSource').length, 0);
	assert.is(clone.clone().readyState, 'ended');
});

test('the end of a source ends all its tracks, with an event each', async () => {
	const { session, stream } = await testTracks();
	const tracks = [...stream.getTracks(), stream.getVideoTracks()[0]!.clone()];
	const seen = tracks.map((track) => eventsOf(track, 'ended'));
	session.made[0]!.emit('ended');
	assert.equal(seen, [['ended'], ['ended'], ['ended']]);
	assert.ok(tracks.every((track) => track.readyState === 'ended'));
});

test('a track ends with the last session that has its source open', async () => {
	const { session, stream } = await testTracks();
	const [video] = stream.getVideoTracks();
	const other = new FakeSession();
	openTrack(video!, other.real);
	for (const remote of other.made) remote.onlost?.(new Error('lost'));
	assert.is(video!.readyState, 'live');
	openTrack(video!, other.real);
	assert.is(other.made.filter(({ type }) => type === 'Track').length, 2);
	session.made[0]!.onlost?.(new Error('lost'));
	assert.is(video!.readyState, 'live');
	for (const remote of other.made.slice(-2)) remote.onlost?.(new Error('lost'));
	assert.is(video!.readyState, 'ended');
});

test('a track that the worker refuses ends', async () => {
	const { session, stream } = await testTracks();
	const [video] = stream.getVideoTracks();
	openTrack(video!, session.real);
	session.alive('Track')[0]!.emit('error', { name: 'NotFoundError', message: 'gone' });
	assert.is(video!.readyState, 'ended');
});

test('a remote track is muted until its receiver says otherwise, and takes its clones with it', () => {
	const session = new FakeSession();
	const receiver = new FakeRemote(session, 9, 'RtpReceiver', {});
	const track = createRemoteTrack('audio', session.real, receiver.as());
	const clone = track.clone();
	const seen = eventsOf(track, 'mute', 'unmute', 'ended');
	assert.equal([track.kind, track.muted, clone.muted], ['audio', true, true]);
	assert.match(track.id, /^[\da-f-]{36}$/);
	receiver.emit('unmute');
	receiver.emit('unmute');
	assert.equal([track.muted, clone.muted], [false, false]);
	assert.equal(openTrack(clone, session.real)?.id, 1);
	assert.equal(session.made[0]!.params, { source: 9, kind: 'audio' });
	muteRemoteTrack(track, true);
	endRemoteTrack(track);
	endRemoteTrack(track);
	muteRemoteTrack(track, false);
	assert.equal(seen, ['unmute', 'mute', 'ended']);
	assert.is(receiver.dropped, false);
	assert.equal([clone.readyState, openTrack(clone, session.real)], ['ended', null]);
});

test('a remote track is carried into another session while it is consumed there, frame by frame as there is room', async () => {
	const [home, away] = [new FakeSession(), new FakeSession()];
	const receiver = new FakeRemote(home, 9, 'RtpReceiver', {});
	const track = createRemoteTrack('video', home.real, receiver.as());
	openTrack(track, away.real);
	openTrack(track.clone(), away.real);
	assert.equal(away.made.map(({ type }) => type).sort(), ['FrameWriter', 'MediaSource', 'Track', 'Track']);
	assert.is(home.made.length, 0);

	const [writer] = away.alive('FrameWriter');
	writer!.emit('demand', { demanded: true });
	assert.equal(home.alive('Track')[0]!.params, { source: 9, kind: 'video' });
	const [reader] = home.alive('FrameReader');
	assert.is(reader!.credits, 2);
	const header = { timestamp: 0, duration: null, format: 'I420', width: 2, height: 2, rotation: 0 } as const;
	for (const byte of [1, 2]) reader!.onmedia!(header, new Uint8Array(6).fill(byte));
	assert.equal(
		writer!.written.map(([, [byte]]) => byte),
		[1, 2],
	);
	assert.is(reader!.credits, 2);
	await writer!.giveRoom();
	assert.is(reader!.credits, 4);

	// A clone that is disabled is so where it is sent; the other goes on.
	track.enabled = false;
	assert.equal(away.alive('Track')[0]!.calls, [['setEnabled', { enabled: false }]]);
	assert.equal(home.alive('Track')[0]!.calls, []);

	writer!.emit('demand', { demanded: false });
	assert.equal([home.alive('FrameReader').length, home.alive('Track').length], [0, 0]);
	await writer!.giveRoom();
	writer!.emit('demand', { demanded: true });
	home.alive('FrameReader')[0]!.emit('ended');
	assert.equal(
		['FrameWriter', 'MediaSource'].map((type) => away.alive(type).length),
		[0, 0],
	);
	assert.equal([home.alive('FrameReader').length, home.alive('Track').length], [0, 0]);
});

test('a device is opened once, and carried into other sessions', async () => {
	const [home, away] = [new FakeSession(), new FakeSession()];
	const media = createMediaDevices({ session: () => home.real });
	const stream = await media.getUserMedia({ video: { sourceType: 'device', source: '/dev/video0' } as object });
	const [track] = stream.getVideoTracks();
	openTrack(track!, away.real);
	assert.equal(away.alive('MediaSource')[0]!.params, { type: 'frames', video: {} });
	away.alive('FrameWriter')[0]!.emit('demand', { demanded: true });
	assert.equal(home.alive('Track')[0]!.params, { source: home.alive('MediaSource')[0]!.id, kind: 'video' });
	track!.stop();
	for (const session of [home, away]) assert.ok(session.made.every(({ dropped }) => dropped));
});

test('a relay goes with the session that it carries to, and is made anew in the next; the last track ends it', () => {
	const [home, away, next] = [new FakeSession(), new FakeSession(), new FakeSession()];
	const receiver = new FakeRemote(home, 9, 'RtpReceiver', {});
	const track = createRemoteTrack('audio', home.real, receiver.as());
	openTrack(track, away.real);
	away.alive('FrameWriter')[0]!.emit('demand', { demanded: true });
	for (const remote of [...away.made]) remote.onlost?.(new Error('lost'));
	assert.is(home.alive('FrameReader').length, 0);
	assert.is(track.readyState, 'live');
	openTrack(track, next.real);
	next.alive('FrameWriter')[0]!.emit('demand', { demanded: true });
	assert.is(home.alive('FrameReader').length, 1);
	endRemoteTrack(track);
	for (const session of [home, next]) assert.ok(session.made.every(({ dropped }) => dropped));
});

test('handlers on the prototype see this and the event', async () => {
	const { session, stream } = await testTracks();
	const [track] = stream.getAudioTracks();
	let seen: unknown[] = [];
	track!.onended = function (event) {
		seen = [this, event.type];
	};
	assert.ok('onended' in MediaStreamTrack.prototype);
	session.made[0]!.emit('ended');
	assert.equal(seen[0] === track, true);
	assert.is(seen[1], 'ended');
});

test('contentHint takes the hints of the kind alone', async () => {
	const { stream } = await testTracks();
	const [audio] = stream.getAudioTracks();
	audio!.contentHint = 'motion';
	assert.is(audio!.contentHint, '');
	audio!.contentHint = 'music';
	assert.is(audio!.contentHint, 'music');
});

test('a stream is made of nothing, of a stream or of tracks', async () => {
	const { stream } = await testTracks();
	const [audio] = stream.getAudioTracks();
	assert.equal(new MediaStream().getTracks(), []);
	assert.is(new MediaStream(stream).getTracks().length, 2);
	assert.is.not(new MediaStream(stream).id, stream.id);
	assert.is(new MediaStream([audio!, audio!]).getTracks().length, 1);
	assert.is(new MediaStream(new Set([audio!])).getTrackById(audio!.id), audio);
	assert.is(stream.getTrackById('unknown'), null);
	for (const wrong of [{}, 7, [{}], [null]]) {
		assert.throws(() => new MediaStream(wrong as unknown as MediaStream), TypeError);
	}
	assert.match(stream.id, /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
});

test('only the user agent fires addtrack and removetrack', async () => {
	const { stream } = await testTracks();
	const [audio] = stream.getAudioTracks();
	const remote = createRemoteStream('from-the-peer');
	const seen: [string, MediaStreamTrack][] = [];
	for (const type of ['addtrack', 'removetrack']) {
		remote.addEventListener(type, (event) => seen.push([type, (event as MediaStreamTrackEvent).track]));
	}
	remote.addTrack(audio!);
	remote.removeTrack(audio!);
	assert.equal(seen, []);
	addRemoteTrack(remote, audio!);
	addRemoteTrack(remote, audio!);
	removeRemoteTrack(remote, audio!);
	removeRemoteTrack(remote, audio!);
	assert.equal(
		seen.map(([type]) => type),
		['addtrack', 'removetrack'],
	);
	assert.ok(seen.every(([, track]) => track === audio));
	assert.is(remote.id, 'from-the-peer');
	assert.throws(() => remote.addTrack({} as MediaStreamTrack), TypeError);
});

test('a cloned stream has clones', async () => {
	const { stream } = await testTracks();
	const clone = stream.clone();
	assert.is(clone.getTracks().length, 2);
	assert.ok(clone.getTracks().every((track) => stream.getTrackById(track.id) === null));
});

test('MediaStreamTrackEvent needs a track', () => {
	assert.throws(() => new MediaStreamTrackEvent('addtrack', {} as never), TypeError);
	assert.throws(() => Reflect.construct(MediaStreamTrackEvent, ['addtrack']), TypeError);
});

test.run();
