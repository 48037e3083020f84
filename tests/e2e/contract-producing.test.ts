/** mediasoup-client's producers over the shim: what the SFU forwards is what they were given, whatever was done to them. */
import 'aiortc-shim/global';
import path from 'node:path';
import type { types } from 'mediasoup-client';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { attributes, sections } from './contract/connections.ts';
import {
	hears,
	hearsSilence,
	kept,
	PATIENCE,
	picture,
	sees,
	seesBlack,
	seesLuma,
	stopTracks,
	tone,
} from './contract/media.ts';
import { Sfu } from './contract/Sfu.ts';
import { Station } from './contract/Station.ts';
import { writtenPicture, writtenTones } from './contract/written.ts';
import { eventually } from './eventually.ts';

const FILM = { sourceType: 'file', source: path.resolve('demo/media/sample.webm') } as const;
const FILM_CODE = 1515;

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

test('several producers share one transport, and each is seen or heard as itself', async () => {
	const [first, second, third, fourth] = await Promise.all([
		picture(1).then((track) => station.produce(track)),
		tone(500).then((track) => station.produce(track)),
		picture(2).then((track) => station.produce(track, { codec: codec('H264') })),
		tone(700).then((track) => station.produce(track)),
	]);
	const mimeTypes = [first, second, third, fourth].map(({ rtpParameters }) => rtpParameters.codecs[0]!.mimeType);
	assert.equal(mimeTypes, ['video/VP8', 'audio/opus', 'video/H264', 'audio/opus']);
	await shows(first, 1);
	await sounds(second, 500);
	await shows(third, 2);
	await sounds(fourth, 700);
	assert.is(station.dtls.length, 2, 'one handshake for sending and one for receiving');
});

test('a paused producer’s track is disabled: black and silence go on; resumed, it is itself again', async () => {
	const video = await station.produce(await picture(3));
	const audio = await station.produce(await tone(600));
	const seen = await station.consume(video.id);
	const heard = await station.consume(audio.id);
	await Promise.all([sees(seen.client.track, 3), hears(heard.client.track, 600)]);
	video.pause();
	audio.pause();
	assert.not(video.track!.enabled);
	await Promise.all([seesBlack(seen.client.track), hearsSilence(heard.client.track)]);
	video.resume();
	audio.resume();
	assert.ok(video.track!.enabled);
	await Promise.all([sees(seen.client.track, 3), hears(heard.client.track, 600)]);
});

test('disableTrackOnPause: false leaves the track alone', async () => {
	const producer = await station.produce(await picture(4), { disableTrackOnPause: false });
	producer.pause();
	assert.ok(producer.track!.enabled);
	await shows(producer, 4);
});

test('with zeroRtpOnPause nothing is sent while paused: the section is inactive; resumed, it sends the same stream', async () => {
	const options = { zeroRtpOnPause: true, disableTrackOnPause: false };
	const producer = await station.produce(await picture(5), options);
	const { client } = await station.consume(producer.id);
	await sees(client.track, 5);
	producer.pause();
	const [, last] = await steady(() => packetsOf(producer));
	assert.equal(attributes(localSections()[0]!, 'inactive'), ['']);
	producer.resume();
	await sees(client.track, 5);
	assert.equal(attributes(localSections()[0]!, 'sendonly'), ['']);
	assert.ok((await packetsOf(producer)) > last, 'the same SSRC counts on');
	assert.is(station.send.client.connectionState, 'connected');
});

test('replaceTrack goes between any sources: test picture, film, nothing, and one made while nothing was sent', async () => {
	const producer = await station.produce(await picture(6));
	const { client } = await station.consume(producer.id);
	await sees(client.track, 6);
	const film = await navigator.mediaDevices.getUserMedia({ video: { ...FILM, loop: true } });
	await producer.replaceTrack({ track: kept(film.getVideoTracks()[0]!) });
	const { width, height } = await sees(client.track, FILM_CODE);
	assert.equal([width, height], [320, 240]);
	await producer.replaceTrack({ track: null });
	await steady(() => packetsOf(producer));
	await producer.replaceTrack({ track: await picture(7) });
	await sees(client.track, 7);
});

test('replaceTrack of sound: a tone, another, a stereo one, and a clone', async () => {
	const producer = await station.produce(await tone(450));
	const { client } = await station.consume(producer.id);
	await hears(client.track, 450);
	for (const [frequency, channelCount] of [
		[650, 1],
		[850, 2],
	] as const) {
		await producer.replaceTrack({ track: await tone(frequency, { channelCount }) });
		await hears(client.track, frequency);
	}
	const copy = kept((await tone(1_000)).clone());
	await producer.replaceTrack({ track: copy });
	await hears(client.track, 1_000);
});

test('frames of our own are sent, from the first on and by replaceTrack', async () => {
	const sound = await station.produce(writtenTones([620]));
	const light = await station.produce(writtenPicture(200));
	const [heard, seen] = [await station.consume(sound.id), await station.consume(light.id)];
	await Promise.all([hears(heard.client.track, 620), seesLuma(seen.client.track, 200)]);
	await sound.replaceTrack({ track: await tone(480) });
	await light.replaceTrack({ track: await picture(13) });
	await Promise.all([hears(heard.client.track, 480), sees(seen.client.track, 13)]);
	await sound.replaceTrack({ track: writtenTones([820]) });
	await light.replaceTrack({ track: writtenPicture(90) });
	await Promise.all([hears(heard.client.track, 820), seesLuma(seen.client.track, 90)]);
});

test('what a consumer receives can be produced again, and is seen and heard as it was', async () => {
	const [video, audio] = [await station.produce(await picture(14)), await station.produce(await tone(530))];
	const [seen, heard] = [await station.consume(video.id), await station.consume(audio.id)];
	const [again, aloud] = [await station.produce(seen.client.track), await station.produce(heard.client.track)];
	await shows(again, 14);
	await sounds(aloud, 530);
	assert.not(again.closed);
});

test('a track that ends says so to its producer', async () => {
	const film = await navigator.mediaDevices.getUserMedia({ video: FILM });
	const producer = await station.produce(kept(film.getVideoTracks()[0]!));
	const ended = new Promise<void>((resolve) => producer.once('trackended', resolve));
	await station.consume(producer.id);
	await ended;
	assert.is(producer.track!.readyState, 'ended');
});

test('a closed producer stops its track, unless told not to', async () => {
	const [left, stopped] = [await picture(8), await picture(9)];
	const kept = await station.produce(left, { stopTracks: false });
	const closed = await station.produce(stopped, { stopTracks: true });
	kept.close();
	closed.close();
	assert.is(left.readyState, 'live');
	assert.is(stopped.readyState, 'ended');
	await eventually(
		async () => (localSections().length === 2 && /^m=video 0 /.test(localSections()[1]!) ? true : null),
		PATIENCE,
		'a closed section',
	);
});

test('closed sections are recycled by producers of any kind, with new mids; the first is never closed', async () => {
	const first = await station.produce(await picture(10));
	const mids: string[] = [first.rtpParameters.mid!];
	for (let round = 0; round < 4; round++) {
		const producer = round % 2 ? await station.produce(await picture(11)) : await station.produce(await tone(480));
		assert.is(localSections().length, 2, 'the closed section was taken');
		mids.push(producer.rtpParameters.mid!);
		if (round % 2) await shows(producer, 11);
		else await sounds(producer, 480);
		await close(producer);
		const [section] = localSections().slice(1);
		assert.match(section!, /^m=(audio|video) 0 /);
		assert.equal(attributes(section!, 'ice-ufrag'), [], 'a closed section has no credentials');
		assert.not.match(attributes(sdpOf(), 'group')[0]!, new RegExp(` ${producer.rtpParameters.mid}\\b`));
	}
	assert.is(new Set(mids).size, mids.length, `mids are not used twice: ${mids}`);
	await close(first);
	assert.equal(attributes(localSections()[0]!, 'inactive'), ['']);
	assert.not.match(localSections()[0]!, /^m=video 0 /);
	const last = await station.produce(await tone(520));
	await sounds(last, 520);
});

test('producers come and go ten times, and what is produced last is seen', async () => {
	for (let round = 0; round < 10; round++) await close(await station.produce(await picture(round)));
	await shows(await station.produce(await picture(77)), 77);
	assert.ok(localSections().length <= 3, `${localSections().length} sections`);
});

test('stream ids, the sender and the encodings reach where they belong', async () => {
	let sender: RTCRtpSender | null = null;
	const track = await picture(12, { width: 320, height: 240 });
	const producer = await station.produce(track, {
		streamId: 'my-stream',
		encodings: [{ maxBitrate: 80_000, scaleResolutionDownBy: 2 }],
		onRtpSender: (given) => {
			sender = given;
		},
	});
	assert.is(sender!, producer.rtpSender);
	assert.is(producer.rtpParameters.msid, `my-stream ${track.id}`);
	const unnamed = await station.produce(await tone(440));
	assert.match(
		unnamed.rtpParameters.msid!,
		new RegExp(`^[\\w-]{36} ${unnamed.track!.id}$`),
		'a stream of the client’s',
	);
	assert.equal(
		producer.rtpSender!.getParameters().encodings.map(({ maxBitrate }) => maxBitrate),
		[80_000],
	);
	assert.ok(producer.rtpParameters.encodings![0]!.rtx?.ssrc, 'RTX is used');
	const { client } = await station.consume(producer.id);
	assert.is((await sees(client.track, 12)).width, 160);
	await producer.setRtpEncodingParameters({ maxBitrate: 60_000, scaleResolutionDownBy: 1 });
	assert.is(producer.rtpSender!.getParameters().encodings[0]!.maxBitrate, 60_000);
	await eventually(async () => ((await sees(client.track, 12)).width === 320 ? true : null), PATIENCE, 'the full size');
});

test('what is done in one tick is done in order', async () => {
	const producers = await Promise.all([21, 22, 23].map(async (code) => station.produce(await picture(code))));
	const [first, second, third] = producers as [types.Producer, types.Producer, types.Producer];
	second.close();
	const replaced = first.replaceTrack({ track: await picture(24) });
	const fourth = station.produce(await tone(900));
	third.pause();
	third.resume();
	await replaced;
	await shows(first, 24);
	await sounds(await fourth, 900);
	await shows(third, 23);
});

/** Consumes a producer, looks, and closes both ends of what consumed it. */
async function shows(producer: types.Producer, code: number): Promise<void> {
	const consumer = await station.consume(producer.id);
	await sees(consumer.client.track, code);
	consumer.client.close();
	consumer.server.close();
}

async function sounds(producer: types.Producer, frequency: number): Promise<void> {
	const consumer = await station.consume(producer.id);
	await hears(consumer.client.track, frequency);
	consumer.client.close();
	consumer.server.close();
}

/** Closes both ends, and waits until the client's section says so. */
async function close(producer: types.Producer): Promise<void> {
	const before = sdpOf();
	producer.close();
	station.producers.get(producer.id)!.close();
	await eventually(async () => (sdpOf() === before ? null : true), PATIENCE, 'a new description');
}

function codec(name: string): types.RtpCodecCapability {
	const { codecs = [] } = station.device.sendRtpCapabilities;
	return codecs.find(({ mimeType }) => mimeType.endsWith(name))!;
}

async function packetsOf(producer: types.Producer): Promise<number> {
	const report = await producer.getStats();
	const stats = [...report.values()].find(({ type }) => type === 'outbound-rtp') as RTCOutboundRtpStreamStats;
	return stats?.packetsSent ?? 0;
}

/** Waits until a number is the same for a second, twice the frames' interval and more; that number, twice. */
async function steady(read: () => Promise<number>): Promise<[number, number]> {
	let last = -1;
	return eventually(
		async () => {
			const before = last;
			last = await read();
			await new Promise((resolve) => setTimeout(resolve, 1_000));
			return before === last ? ([before, last] as [number, number]) : null;
		},
		PATIENCE,
		'a steady number',
	);
}

/** The description that the sending transport has agreed on. */
function sdpOf(): string {
	return station.send.connection.currentLocalDescription?.sdp ?? '';
}

function localSections(): string[] {
	return sections(station.send.connection.currentLocalDescription);
}

test.run();
