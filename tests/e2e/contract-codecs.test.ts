/** Codec options of mediasoup-client over the shim: each reaches the encoder, and shows in what is sent. */
import 'aiortc-shim/global';
import type { types } from 'mediasoup-client';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { attributes, sections } from './contract/connections.ts';
import { hears, hearsApart, PATIENCE, picture, sees, stopTracks, tone } from './contract/media.ts';
import { Sfu } from './contract/Sfu.ts';
import { Station } from './contract/Station.ts';
import { writtenTones } from './contract/written.ts';
import { eventually } from './eventually.ts';

/** Packets by which a rate is told. */
const PACKETS = 40;

let sfu: Sfu;
let station: Station;

test.before(async () => {
	sfu = await Sfu.start();
});

test.before.each(async () => {
	station = await Station.open(sfu.router);
});

test.after.each(() => {
	station.close();
	stopTracks();
});

test.after(() => sfu.close());

test('all options of opus are in the answer that is applied, and the sound is the one that was sent', async () => {
	const producer = await produceTone(500, {
		opusStereo: true,
		opusDtx: true,
		opusFec: true,
		opusMaxPlaybackRate: 48_000,
		opusMaxAverageBitrate: 64_000,
		opusPtime: 40,
		opusNack: true,
	});
	const answer = sections(station.send.connection.currentRemoteDescription)[0]!;
	const [fmtp] = attributes(answer, 'fmtp');
	for (const each of ['stereo=1', 'usedtx=1', 'useinbandfec=1', 'maxplaybackrate=48000', 'maxaveragebitrate=64000']) {
		assert.ok(fmtp!.includes(each), `${each} in ${fmtp}`);
	}
	const { parameters = {} } = producer.rtpParameters.codecs[0]!;
	assert.equal(
		[parameters['sprop-stereo'], parameters.usedtx, parameters.useinbandfec, parameters.ptime],
		[1, 1, 1, 40],
	);
	const { client } = await station.consume(producer.id);
	await hears(client.track, 500);
});

test('with opusStereo each channel is heard as itself; without, both are mixed', async () => {
	const producer = await station.produce(writtenTones([500, 800]), { codecOptions: { opusStereo: true } });
	const apart = await station.consume(producer.id);
	await hearsApart(apart.client.track, [500, 800]);
	const mono = await station.produce(writtenTones([600, 0]), { codecOptions: { opusStereo: false } });
	const mixed = await station.consume(mono.id);
	await hearsApart(mixed.client.track, [600, 600]);
});

test('opusPtime is what a packet lasts', async () => {
	const [usual, long] = [await produceTone(500, {}), await produceTone(600, { opusPtime: 60 })];
	assert.ok(Math.abs((await rate(usual)).milliseconds - 20) < 3);
	assert.ok(Math.abs((await rate(long)).milliseconds - 60) < 9);
	const { client } = await station.consume(long.id);
	await hears(client.track, 600);
});

test('opusMaxAverageBitrate is what sound may take', async () => {
	const [little, much] = [
		await produceTone(500, { opusMaxAverageBitrate: 12_000 }),
		await produceTone(600, { opusMaxAverageBitrate: 128_000 }),
	];
	const [low, high] = [await rate(little), await rate(much)];
	assert.ok(low.bitrate < 20_000, `${low.bitrate} b/s`);
	assert.ok(high.bitrate > 3 * low.bitrate, `${high.bitrate} b/s`);
	const { client } = await station.consume(little.id);
	await hears(client.track, 500);
});

test('with opusDtx silence is not sent, but for a sign now and then; without, it is', async () => {
	const [sparing, plain] = [await produceTone(500, { opusDtx: true }), await produceTone(600, {})];
	const { client } = await station.consume(sparing.id);
	await hears(client.track, 500);
	for (const producer of [sparing, plain]) producer.pause();
	const [before, plainBefore] = [await packetsOf(sparing), await packetsOf(plain)];
	const enough = async () => ((await packetsOf(plain)) >= plainBefore + 100 ? true : null);
	await eventually(enough, PATIENCE, '2 s of silence');
	const sent = (await packetsOf(sparing)) - before;
	assert.ok(sent > 0 && sent < 40, `${sent} packets in the time of 100`);
	assert.not(client.track.muted, 'what is paused so is not mute');
	sparing.resume();
	await hears(client.track, 500);
});

test('videoGoogleMaxBitrate and videoGoogleStartBitrate bound what a picture takes', async () => {
	const size = { width: 640, height: 480, frameRate: 10 };
	const free = await station.produce(await picture(1, size));
	const bound = await station.produce(await picture(2, size), { codecOptions: { videoGoogleMaxBitrate: 150 } });
	const fmtp = attributes(sections(station.send.connection.currentRemoteDescription)[1]!, 'fmtp');
	assert.ok(fmtp.some((value) => value.includes('x-google-max-bitrate=150')));
	assert.ok((await targetOf(free)) > 300_000);
	assert.is(await targetOf(bound), 150_000);
	const { client } = await station.consume(bound.id);
	await sees(client.track, 2);
	const other = await Station.open(sfu.router);
	try {
		const options = { videoGoogleStartBitrate: 200, videoGoogleMinBitrate: 100 };
		const slow = await other.produce(await picture(3, size), { codecOptions: options });
		const first = await targetOf(slow);
		assert.ok(first >= 100_000 && first <= 400_000, `${first} b/s at first`);
		await eventually(async () => ((await targetOf(slow)) > 400_000 ? true : null), PATIENCE, 'more than at the start');
	} finally {
		other.close();
	}
});

async function produceTone(frequency: number, codecOptions: types.ProducerCodecOptions): Promise<types.Producer> {
	const channelCount = codecOptions.opusStereo ? 2 : 1;
	return station.produce(await tone(frequency, { channelCount }), { codecOptions });
}

/** How long a packet lasts and how much is sent, by the sender's own count. */
async function rate(producer: types.Producer): Promise<{ milliseconds: number; bitrate: number }> {
	const first = await eventually(async () => sent(producer), PATIENCE, 'a packet');
	const later = async () => {
		const now = await sent(producer);
		return now && now.packetsSent! >= first.packetsSent! + PACKETS ? now : null;
	};
	const last = await eventually(later, PATIENCE, `${PACKETS} packets`);
	const elapsed = last.timestamp - first.timestamp;
	return {
		milliseconds: elapsed / (last.packetsSent! - first.packetsSent!),
		bitrate: ((last.bytesSent! - first.bytesSent!) * 8_000) / elapsed,
	};
}

async function packetsOf(producer: types.Producer): Promise<number> {
	return (await sent(producer))?.packetsSent ?? 0;
}

/** Bits per second that the encoder is told, once it has been told. */
function targetOf(producer: types.Producer): Promise<number> {
	return eventually(async () => (await sent(producer))?.targetBitrate ?? null, PATIENCE, 'a bitrate');
}

/** The outbound stream of a producer, once something was sent. */
async function sent(producer: types.Producer): Promise<RTCOutboundRtpStreamStats | null> {
	const entry = [...(await producer.getStats()).values()].find(({ type }) => type === 'outbound-rtp');
	return entry?.packetsSent ? entry : null;
}

test.run();
