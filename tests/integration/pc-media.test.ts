import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RTCPeerConnection, RTCRtpReceiver } from '../../shim/api/index.ts';
import { failure, makePair, negotiate, next, record, shim, until } from './pcPair.ts';

const size = { width: 160, height: 120 };

async function entry(connection: RTCPeerConnection, type: string, kind = 'video') {
	return [...(await connection.getStats()).values()].find((each) => each.type === type && each.kind === kind);
}

async function received(connection: RTCPeerConnection, kind: string): Promise<number> {
	return Number((await entry(connection, 'inbound-rtp', kind))?.packetsReceived ?? 0);
}

/** Width of the next picture. */
async function picture({ track }: RTCRtpReceiver): Promise<number> {
	const reader = new shim.MediaStreamTrackProcessor({ track }).readable.getReader();
	const { value } = await reader.read();
	const { codedWidth } = value as VideoFrame;
	(value as VideoFrame).close();
	await reader.cancel();
	return codedWidth;
}

test('sound and picture of one stream arrive as tracks of one stream, unmuted when packets come', async () => {
	const pair = makePair();
	const { offerer, answerer } = pair;
	const stream = await shim.mediaDevices.getUserMedia({ audio: true, video: size });
	const senders = stream.getTracks().map((track) => offerer.addTrack(track, stream));
	const seen: RTCTrackEvent[] = [];
	answerer.ontrack = (event) => seen.push(event);
	await negotiate(pair);
	assert.equal(
		seen.map(({ track, streams }) => [track.kind, track.muted, streams.map(({ id }) => id)]),
		[
			['audio', true, [stream.id]],
			['video', true, [stream.id]],
		],
	);
	assert.is(seen[0]!.streams[0], seen[1]!.streams[0]);
	assert.equal(
		seen[0]!.streams[0]!.getTracks(),
		seen.map(({ track }) => track),
	);
	await Promise.all(seen.map(({ track }) => next(track, 'unmute')));
	assert.is(await picture(answerer.getReceivers()[1]!), 160);
	await until('sound', async () => (await received(answerer, 'audio')) > 20);

	const ids = [...(await senders[1]!.getStats()).values()].map(({ type }) => type);
	for (const type of ['outbound-rtp', 'codec', 'transport', 'candidate-pair', 'media-source', 'certificate']) {
		assert.ok(ids.includes(type), type);
	}
	assert.not(ids.includes('data-channel'));
	const outbound = await entry(offerer, 'outbound-rtp');
	const report = await offerer.getStats(stream.getVideoTracks()[0]!);
	for (const name of ['codecId', 'transportId', 'mediaSourceId']) assert.ok(report.has(String(outbound?.[name])), name);
	assert.is(report.get(String(outbound?.codecId))?.mimeType, 'video/VP8');
	assert.is(await failure(() => answerer.getStats(stream.getTracks()[0]!)), 'InvalidAccessError');

	assert.ok(Number(outbound?.framesPerSecond) > 0, `${outbound?.framesPerSecond} frames a second`);
	assert.ok(['none', 'bandwidth', 'cpu'].includes(String(outbound?.qualityLimitationReason)));
	const durations = outbound?.qualityLimitationDurations as Record<string, number>;
	assert.equal(Object.keys(durations).toSorted(), ['bandwidth', 'cpu', 'none', 'other']);
	const sound = await entry(offerer, 'outbound-rtp', 'audio');
	for (const name of ['framesPerSecond', 'qualityLimitationReason']) assert.not(name in sound!, name);

	// The first question has an answer, though nobody has read the track.
	const [receiver] = answerer.getReceivers();
	const [source, ...others] = receiver!.getSynchronizationSources();
	assert.is(source?.source, sound?.ssrc);
	assert.type(source?.rtpTimestamp, 'number');
	const now = performance.timeOrigin + performance.now();
	assert.ok(source!.timestamp <= now && source!.timestamp > now - 10_000, `${source!.timestamp}, now ${now}`);
	assert.ok(source!.audioLevel! > 0 && source!.audioLevel! <= 1, `level ${source!.audioLevel}`);
	assert.is(others.length, 0);
	const later = () => receiver!.getSynchronizationSources()[0]!.rtpTimestamp !== source!.rtpTimestamp;
	await until('a later packet', later);
	assert.is((await entry(answerer, 'inbound-rtp', 'audio'))?.totalSamplesReceived, 0);
	for (const track of stream.getTracks()) track.stop();
	pair.close();
	await until('the tracks end, in a task of their own', () => seen.every(({ track }) => track.readyState === 'ended'));
});

test('jitterBufferTarget holds back what is read, and getStats() says for how long', async () => {
	const pair = makePair();
	const stream = await shim.mediaDevices.getUserMedia({ audio: true });
	pair.offerer.addTrack(stream.getTracks()[0]!, stream);
	await negotiate(pair);
	const [receiver] = pair.answerer.getReceivers();
	const reader = new shim.MediaStreamTrackProcessor({ track: receiver!.track }).readable.getReader();
	const reading = (async () => {
		for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) value!.close();
	})();
	const held = async () => {
		const inbound = await entry(pair.answerer, 'inbound-rtp', 'audio');
		return { delay: Number(inbound?.jitterBufferDelay ?? 0), count: Number(inbound?.jitterBufferEmittedCount ?? 0) };
	};
	await until('sound', async () => (await held()).count > 10_000);
	receiver!.jitterBufferTarget = 500;
	assert.is(receiver!.jitterBufferTarget, 500);
	let before = await held();
	await until('half a second of delay', async () => {
		const now = await held();
		const delay = (now.delay - before.delay) / (now.count - before.count);
		before = now;
		return delay > 0.4 && delay < 0.8;
	});
	await reader.cancel();
	await reading;
	for (const track of stream.getTracks()) track.stop();
	pair.close();
});

test('removeTrack() mutes the track at the peer and takes it from its stream; addTrack() brings another', async () => {
	const pair = makePair();
	const { offerer, answerer } = pair;
	const stream = await shim.mediaDevices.getUserMedia({ video: size });
	const [track] = stream.getVideoTracks();
	const sender = offerer.addTrack(track!, stream);
	const incoming = next<RTCTrackEvent>(answerer, 'track');
	await negotiate(pair);
	const event = await incoming;
	const remote = event.streams[0]!;
	await next(event.track, 'unmute');
	const events = record(remote, 'removetrack');
	const muted = next(event.track, 'mute');
	offerer.removeTrack(sender);
	assert.is(sender.track, null);
	await negotiate(pair);
	await muted;
	assert.equal([events, remote.getTracks()], [['removetrack'], []]);
	assert.is(answerer.getTransceivers()[0]!.currentDirection, 'inactive');
	const before = await received(answerer, 'video');
	await new Promise((resolve) => setTimeout(resolve, 300));
	assert.ok((await received(answerer, 'video')) - before <= 2, 'nothing is sent any more');

	const again = offerer.addTrack(track!, stream);
	assert.is.not(again, sender, 'a sender that has sent is not used again');
	const second = next<RTCTrackEvent>(answerer, 'track');
	await negotiate(pair);
	await next((await second).track, 'unmute');
	assert.equal(
		offerer.getTransceivers().map(({ currentDirection }) => currentDirection),
		['inactive', 'sendonly'],
	);
	pair.close();
});

test('both sides send in one section when the answerer adds its track first', async () => {
	const pair = makePair();
	const { offerer, answerer } = pair;
	const [ours, theirs] = await Promise.all([
		shim.mediaDevices.getUserMedia({ video: size }),
		shim.mediaDevices.getUserMedia({ video: { width: 320, height: 240 } }),
	]);
	offerer.addTrack(ours.getTracks()[0]!);
	await offerer.setLocalDescription();
	answerer.addTrack(theirs.getTracks()[0]!);
	await answerer.setRemoteDescription(offerer.localDescription!);
	assert.is(answerer.getTransceivers().length, 1);
	await answerer.setLocalDescription();
	await offerer.setRemoteDescription(answerer.localDescription!);
	assert.is(offerer.getTransceivers()[0]!.currentDirection, 'sendrecv');
	assert.equal(
		await Promise.all([picture(answerer.getReceivers()[0]!), picture(offerer.getReceivers()[0]!)]),
		[160, 320],
	);
	pair.close();
});

test('a disabled track costs a fraction of its bitrate at the receiver, and comes back', async () => {
	const pair = makePair();
	const stream = await shim.mediaDevices.getUserMedia({ audio: true, video: { width: 320, height: 240 } });
	for (const track of stream.getTracks()) pair.offerer.addTrack(track, stream);
	await negotiate(pair);
	const bytes = async (kind: string) => Number((await entry(pair.answerer, 'inbound-rtp', kind))?.bytesReceived ?? 0);
	const both = () => Promise.all([bytes('audio'), bytes('video')]);
	const perSecond = async () => {
		const [before, began] = [await both(), performance.now()];
		await new Promise((resolve) => setTimeout(resolve, 1_500));
		const seconds = (performance.now() - began) / 1_000;
		return (await both()).map((after, index) => (after - before[index]!) / seconds);
	};
	const enable = (enabled: boolean) => {
		for (const track of stream.getTracks()) track.enabled = enabled;
	};
	await until('both arrive', async () => (await both()).every((count) => count > 5_000));
	const usual = await perSecond();
	enable(false);
	// What was encoded before is still on its way.
	await new Promise((resolve) => setTimeout(resolve, 500));
	const disabled = await perSecond();
	enable(true);
	await new Promise((resolve) => setTimeout(resolve, 500));
	const again = await perSecond();
	for (const [index, kind] of ['audio', 'video'].entries()) {
		const story = `${kind}: ${[usual, disabled, again].map((each) => Math.round(each[index]!)).join(', ')} bytes/s`;
		assert.ok(disabled[index]! < usual[index]! / 4, story);
		assert.ok(again[index]! > usual[index]! / 2, story);
	}
	for (const track of stream.getTracks()) track.stop();
	pair.close();
});

test('replaceTrack() changes the picture without negotiation, and null stops it', async () => {
	const pair = makePair();
	const { offerer, answerer } = pair;
	const [small, large, sound] = await Promise.all([
		shim.mediaDevices.getUserMedia({ video: size }),
		shim.mediaDevices.getUserMedia({ video: { width: 320, height: 240 } }),
		shim.mediaDevices.getUserMedia({ audio: true }),
	]);
	const sender = offerer.addTrack(small.getTracks()[0]!);
	await negotiate(pair);
	const [receiver] = answerer.getReceivers();
	assert.is(await picture(receiver!), 160);
	const events = record(offerer, 'negotiationneeded');
	await sender.replaceTrack(large.getTracks()[0]!);
	assert.is(sender.track, large.getTracks()[0]);
	await until('the other picture', async () => (await picture(receiver!)) === 320);
	assert.is(await failure(() => sender.replaceTrack(sound.getTracks()[0]!)), 'TypeError');
	await sender.replaceTrack(null);
	assert.is(sender.track, null);
	assert.equal(events, []);
	pair.close();
	assert.is(await failure(() => sender.replaceTrack(null)), 'InvalidStateError');
});

test('setParameters() takes what getParameters() gave in this task, and the worker obeys', async () => {
	const pair = makePair();
	const { offerer, answerer } = pair;
	const stream = await shim.mediaDevices.getUserMedia({ video: { width: 320, height: 240 } });
	const sender = offerer.addTrack(stream.getTracks()[0]!);
	await negotiate(pair);
	const [receiver] = answerer.getReceivers();
	assert.is(await picture(receiver!), 320);
	const parameters = sender.getParameters();
	assert.is(parameters.encodings.length, 1);
	assert.is(parameters.transactionId, sender.getParameters().transactionId);
	parameters.encodings[0]!.scaleResolutionDownBy = 2;
	await sender.setParameters(parameters);
	assert.is(sender.getParameters().encodings[0]!.scaleResolutionDownBy, 2);
	await until('a smaller picture', async () => (await picture(receiver!)) === 160);
	sender.getParameters();
	assert.is(
		await failure(() => sender.setParameters(parameters)),
		'InvalidModificationError',
		'its transaction is over',
	);

	const fails = (change: (given: ReturnType<typeof sender.getParameters>) => void): Promise<string> => {
		const given = sender.getParameters();
		change(given);
		return failure(() => sender.setParameters(given));
	};
	assert.is(await fails(({ encodings }) => encodings.push({ active: true })), 'InvalidModificationError');
	assert.is(await fails(({ codecs }) => codecs.pop()), 'InvalidModificationError');
	assert.is(await fails(({ encodings: [only] }) => Object.assign(only!, { scaleResolutionDownBy: 0.5 })), 'RangeError');
	assert.is(await fails(({ encodings: [only] }) => Object.assign(only!, { maxFramerate: -1 })), 'RangeError');
	const codec = { mimeType: 'video/AV1', clockRate: 90_000 };
	assert.is(await fails(({ encodings: [only] }) => Object.assign(only!, { codec })), 'InvalidModificationError');
	const given = sender.getParameters();
	await new Promise((resolve) => setTimeout(resolve));
	await new Promise((resolve) => setTimeout(resolve));
	assert.is(await failure(() => sender.setParameters(given)), 'InvalidStateError');
	pair.close();
});

test('encodings with rids are offered and sent as simulcast, those that the peer does not take are dropped', async () => {
	const pair = makePair();
	const { offerer } = pair;
	const stream = await shim.mediaDevices.getUserMedia({ video: { width: 320, height: 240 } });
	const { sender } = offerer.addTransceiver(stream.getTracks()[0]!, {
		direction: 'sendonly',
		sendEncodings: [{ rid: 'q' }, { rid: 'h' }, { rid: 'f' }],
	});
	assert.equal(
		sender.getParameters().encodings.map(({ rid, scaleResolutionDownBy }) => [rid, scaleResolutionDownBy]),
		[
			['q', 4],
			['h', 2],
			['f', 1],
		],
	);
	await negotiate(pair, {
		edit: (sdp, type) =>
			type === 'offer' ? sdp : sdp.replace('recv q;h;f', 'recv q;f').replace('a=rid:h recv\r\n', ''),
	});
	assert.match(offerer.localDescription!.sdp, /a=simulcast:send q;h;f/);
	assert.equal(
		sender.getParameters().encodings.map(({ rid }) => rid),
		['q', 'f'],
	);
	await until('two streams', async () => {
		const sent = [...(await offerer.getStats()).values()].filter(({ type }) => type === 'outbound-rtp');
		return sent.length === 2 && sent.every(({ packetsSent }) => Number(packetsSent) > 5);
	});
	pair.close();
});

test('setCodecPreferences() puts H264 first, and it is what arrives', async () => {
	const pair = makePair();
	const { offerer, answerer } = pair;
	const stream = await shim.mediaDevices.getUserMedia({ video: size });
	const transceiver = offerer.addTransceiver(stream.getTracks()[0]!, { direction: 'sendonly' });
	const { codecs } = shim.RTCRtpSender.getCapabilities('video')!;
	transceiver.setCodecPreferences(codecs.filter(({ mimeType }) => mimeType !== 'video/VP8'));
	await negotiate(pair);
	assert.not.match(offerer.localDescription!.sdp, /VP8/);
	assert.is(await picture(answerer.getReceivers()[0]!), 160);
	const inbound = await entry(answerer, 'inbound-rtp');
	assert.is((await answerer.getStats()).get(String(inbound?.codecId))?.mimeType, 'video/H264');
	const refused = (list: object[]) => failure(() => transceiver.setCodecPreferences(list as RTCRtpCodec[]));
	assert.is(await refused([{ mimeType: 'video/AV1', clockRate: 90_000 }]), 'InvalidModificationError');
	assert.is(await refused(codecs.filter(({ mimeType }) => /rtx/.test(mimeType))), 'InvalidModificationError');
	pair.close();
});

/** A sweep from 300 to 3,000 Hz: each moment has a sound of its own. */
function sweep(seconds: number): Float32Array<ArrayBuffer> {
	const slope = (3_000 - 300) / seconds;
	return Float32Array.from({ length: seconds * 48_000 }, (_, index) => {
		const at = index / 48_000;
		return 0.4 * Math.sin(2 * Math.PI * (300 * at + (slope * at * at) / 2));
	});
}

/** How alike two stretches of sound are: 1 if one is the other, louder or softer. */
function likeness(one: Float32Array, at: number, other: Float32Array, from: number, length: number): number {
	let [product, first, second] = [0, 0, 0];
	for (let index = 0; index < length; index++) {
		const [a, b] = [one[at + index] ?? 0, other[from + index] ?? 0];
		product += a * b;
		first += a * a;
		second += b * b;
	}
	return product / Math.sqrt(first * second || 1);
}

test('five seconds of sound written at once are heard by the peer in five seconds, without gaps or clicks', async () => {
	const said = sweep(5);
	let heard = await saidAndHeard(said);
	// A machine that stands still for a tenth of a second leaves a gap that is nobody's fault.
	for (let attempt = 0; attempt < 2 && heard.worst < 0.9; attempt++) heard = await saidAndHeard(said);
	assert.ok(heard.took > 4_800 && heard.took < 5_600, `write() took ${heard.took} ms`);
	assert.ok(heard.worst > 0.9, `at ${heard.at} s it is like what was said by ${heard.worst}`);
});

/** Writes sound at once into a track that a peer hears; how long that took, and where and how badly it is heard. */
async function saidAndHeard(said: Float32Array<ArrayBuffer>): Promise<{ took: number; worst: number; at: number }> {
	const pair = makePair();
	const track = new shim.MediaStreamTrackGenerator('audio');
	pair.offerer.addTrack(track);
	await negotiate(pair);
	const [receiver] = pair.answerer.getReceivers();
	const heard = new Float32Array(said.length + 2 * 48_000);
	let length = 0;
	const reader = new shim.MediaStreamTrackProcessor({ track: receiver!.track }).readable.getReader();
	const listening = (async () => {
		for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
			const data = value as AudioData;
			if (length + data.numberOfFrames <= heard.length) {
				data.copyTo(heard.subarray(length, length + data.numberOfFrames), { planeIndex: 0, format: 'f32-planar' });
				length += data.numberOfFrames;
			}
			data.close();
		}
	})();
	const writer = track.writable.getWriter();
	// Until the peer hears: what is written before is nobody's.
	while (length === 0) await writer.write(soundOf(new Float32Array(4_800), 0));
	const begun = performance.now();
	await writer.write(soundOf(said, 0));
	const took = performance.now() - begun;
	await new Promise((resolve) => setTimeout(resolve, 600));
	track.stop();
	pair.close();
	await listening;
	return { took, ...compare(said, heard) };
}

/**
 * Where what was heard is least like what was said. Were a piece lost or heard twice, what follows would be beside its
 * place; a click would be of no sweep. Opus moves a sound by some samples as it changes its ways.
 */
function compare(said: Float32Array, heard: Float32Array): { worst: number; at: number } {
	// Where it lies is found by its middle, near to where it begins to be heard.
	const [middle, half] = [2 * 48_000, 48_000 / 2];
	const onset = heard.findIndex((sample) => Math.abs(sample) > 0.1);
	const offsets = Array.from({ length: 1_000 }, (_, index) => onset - 700 + index);
	const likenesses = offsets.map((offset) => likeness(said, middle, heard, offset + middle, half));
	const start = offsets[likenesses.indexOf(Math.max(...likenesses))]!;
	const shifts = Array.from({ length: 25 }, (_, index) => index - 12);
	let [worst, at] = [1, 0];
	for (let first = 0; first + 960 <= said.length; first += 960) {
		const alike = Math.max(...shifts.map((shift) => likeness(said, first, heard, start + first + shift, 960)));
		if (alike < worst) [worst, at] = [alike, first / 48_000];
	}
	return { worst, at };
}

function soundOf(samples: Float32Array<ArrayBuffer>, timestamp: number): AudioData {
	const size = { numberOfFrames: samples.length, numberOfChannels: 1 };
	return new shim.AudioData({ format: 'f32', sampleRate: 48_000, ...size, timestamp, data: samples });
}

test('what mediasoup-client asks of a connection that is never connected', async () => {
	const connection = new shim.RTCPeerConnection({ bundlePolicy: 'max-bundle' });
	const { sender } = connection.addTransceiver('video', {
		direction: 'sendonly',
		sendEncodings: [{ scalabilityMode: 'L3T3' } as RTCRtpEncodingParameters],
	});
	connection.addTransceiver('audio');
	const { sdp } = await connection.createOffer();
	assert.match(sdp!, /a=setup:actpass/);
	assert.match(sdp!, /m=video [1-9]/);
	assert.ok(sender.getParameters());
	assert.ok(connection.connectionState);
	connection.close();
});

test.after(() => shim.close());

test.run();
