import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RTCPeerConnection } from '../../shim/api/index.ts';
import { makeLossyPair } from './lossyPair.ts';
import { next, shim, until } from './pcPair.ts';

const MICROSECOND = 1e-6;

interface Heard {
	timestamp: number;
	duration: number;
	frames: number;
}

async function inbound(connection: RTCPeerConnection): Promise<Record<string, number>> {
	const report = [...(await connection.getStats()).values()].find(({ type }) => type === 'inbound-rtp');
	return report as unknown as Record<string, number>;
}

/** Reads a track until told to stop; all that was read, in order. */
function listen(track: MediaStreamTrack) {
	const heard: Heard[] = [];
	const reader = new shim.MediaStreamTrackProcessor({ track }).readable.getReader();
	const reading = (async () => {
		for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
			const { timestamp, duration, numberOfFrames } = value as AudioData;
			heard.push({ timestamp, duration, frames: numberOfFrames });
			value!.close();
		}
	})();
	const stop = async () => {
		await reader.cancel();
		await reading;
	};
	return { heard, stop };
}

const end = ({ timestamp, duration }: Heard) => timestamp + duration;

test('a reader gets as much sound as time passes when a tenth of the packets is lost, and statistics tell', async () => {
	const stream = await shim.mediaDevices.getUserMedia({ audio: true });
	let incoming!: Promise<RTCTrackEvent>;
	const pair = await makeLossyPair({ loss: 0, late: 0, delay: 30 }, ({ offerer, answerer }) => {
		offerer.addTrack(stream.getAudioTracks()[0]!, stream);
		incoming = next<RTCTrackEvent>(answerer, 'track');
	});
	const { heard, stop } = listen((await incoming).track);
	await until('sound', () => heard.length > 50);

	Object.assign(pair.weather, { loss: 0.1, late: 0.05 });
	const [first, from] = [heard.length, performance.now()];
	await new Promise((resolve) => setTimeout(resolve, 8000));
	const [last, seconds] = [heard.length, (performance.now() - from) / 1000];
	Object.assign(pair.weather, { loss: 0, late: 0 });

	const during = heard.slice(first, last);
	const jumps = during.filter((each, index) => index > 0 && Math.abs(each.timestamp - end(during[index - 1]!)) > 1);
	assert.equal(jumps, []);
	const samples = during.reduce((sum, { frames }) => sum + frames, 0) / 48_000;
	assert.ok(Math.abs(samples - (end(during.at(-1)!) - during[0]!.timestamp) * MICROSECOND) < 0.001, `${samples} s`);

	const stats = await inbound(pair.answerer);
	// As much as passed, give or take what waits for a packet before it. A machine that stalled has made up for packets
	// that came after all; that is cut out again when it has been calm for seconds.
	const ahead = Math.max(0, stats.concealedSamples! / 48_000 - stats.packetsLost! * 0.02);
	const stretched = (stats.insertedSamplesForDeceleration! - stats.removedSamplesForAcceleration!) / 48_000;
	const told = `${samples} s of samples in ${seconds} s, ${stretched} s put in`;
	assert.ok(samples - stretched > seconds - 0.3 && samples < seconds + 0.3 + ahead, told);
	assert.ok(stats.packetsLost! > 10, `${stats.packetsLost} lost`);
	assert.ok(stats.concealedSamples! > 0, 'nothing was concealed');
	assert.ok(stats.silentConcealedSamples! < stats.concealedSamples!);
	assert.ok(stats.concealmentEvents! > 5, `${stats.concealmentEvents} events`);
	assert.ok(stats.totalSamplesReceived! >= heard.reduce((sum, { frames }) => sum + frames, 0));
	await stop();
	stream.getAudioTracks()[0]!.stop();
	pair.close();
});

test('another jitterBufferTarget stretches what is read: no sample is missing, none comes twice', async () => {
	const stream = await shim.mediaDevices.getUserMedia({ audio: true });
	let incoming!: Promise<RTCTrackEvent>;
	const pair = await makeLossyPair({ loss: 0, late: 0, delay: 0 }, ({ offerer, answerer }) => {
		offerer.addTrack(stream.getAudioTracks()[0]!, stream);
		incoming = next<RTCTrackEvent>(answerer, 'track');
	});
	const event = await incoming;
	const { heard, stop } = listen(event.track);
	await until('sound', () => heard.length > 50);
	const before = await inbound(pair.answerer);
	const target = 0.2 * 48_000;
	event.receiver.jitterBufferTarget = 200;
	const inserted = async () => (await inbound(pair.answerer)).insertedSamplesForDeceleration!;
	await until('it is reached', async () => (await inserted()) - before.insertedSamplesForDeceleration! > target * 0.95);
	event.receiver.jitterBufferTarget = null;
	const removed = async () => (await inbound(pair.answerer)).removedSamplesForAcceleration!;
	await until('it is left', async () => (await removed()) - before.removedSamplesForAcceleration! > target * 0.95);
	const jumps = heard.filter((each, index) => index > 0 && Math.abs(each.timestamp - end(heard[index - 1]!)) > 1);
	assert.equal(jumps, []);
	await stop();
	stream.getAudioTracks()[0]!.stop();
	pair.close();
});

test.run();
