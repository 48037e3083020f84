/** A bridge that runs elsewhere, as in a container: the shim's part is the same, and peers see what it announces. */
import { ANNOUNCED, PORTS, stopBridge } from './contract/elsewhere.ts';
import 'aiortc-shim/global';
import { createShim } from 'aiortc-shim';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { attributes } from './contract/connections.ts';
import { hears, PATIENCE, picture, sees, stopTracks, tone } from './contract/media.ts';
import { Sfu } from './contract/Sfu.ts';
import { restartIce, Station } from './contract/Station.ts';
import { eventually } from './eventually.ts';

let sfu: Sfu;
let station: Station;

test.before(async () => {
	sfu = await Sfu.start();
	station = await Station.open(sfu.router);
});

test.after(async () => {
	station.close();
	stopTracks();
	await sfu.close();
	assert.is(await stopBridge(), 0);
});

test('a call through it: pictures, sound and messages, also after an ICE restart', async () => {
	const [video, audio] = [await station.produce(await picture(1)), await station.produce(await tone(500))];
	const [seen, heard] = [await station.consume(video.id), await station.consume(audio.id)];
	const channel = await station.produceData({ label: 'chat' });
	const messages = await station.consumeData(channel.id);
	const received: unknown[] = [];
	messages.on('message', (message) => received.push(message));
	channel.send('hello');
	await eventually(async () => received.length > 0 || null, PATIENCE, 'a message');
	assert.equal(received, ['hello']);
	await Promise.all([sees(seen.client.track, 1), hears(heard.client.track, 500)]);
	await Promise.all([restartIce(station.send), restartIce(station.receive)]);
	await Promise.all([sees(seen.client.track, 1), hears(heard.client.track, 500)]);
});

test('its candidates have the announced address alone, and ports of the range; so has what the SFU hears', async () => {
	for (const { connection, server } of [station.send, station.receive]) {
		await eventually(async () => connection.iceGatheringState === 'complete' || null, PATIENCE, 'all candidates');
		const candidates = attributes(connection.localDescription!.sdp, 'candidate').map((each) => each.split(' '));
		assert.ok(candidates.length > 0);
		assert.equal([...new Set(candidates.map(([, , , , address]) => address))], [ANNOUNCED]);
		for (const [, , , , , port] of candidates) assertWithin(Number(port));
		const local = [...(await connection.getStats()).values()].filter(({ type }) => type === 'local-candidate');
		assert.equal([...new Set(local.map(({ address }) => address))], [ANNOUNCED]);
		const { remotePort } = server.iceSelectedTuple!;
		assertWithin(remotePort!);
	}
});

test('who shows another token, or none, is told', async () => {
	for (const [token, sentence] of [
		['open', /token is wrong/],
		['', /^No token for ws:.*: set AIORTC_SHIM_TOKEN/],
	] as const) {
		const shim = createShim({ token });
		const refused = await new shim.RTCPeerConnection().createOffer().catch((error: Error) => error);
		assert.match((refused as Error).message, sentence);
		await shim.close();
	}
});

test('what is no URL of a bridge is said at once', async () => {
	for (const url of ['localhost:8080', 'nonsense', 'ftp://127.0.0.1']) {
		const shim = createShim({ url });
		const refused = await new shim.RTCPeerConnection().createOffer().catch((error: Error) => error);
		const sentence = `The bridge's URL is ${url}; one with ws: or wss:, as ws://127.0.0.1:8080, is needed`;
		assert.match((refused as Error).message, sentence);
	}
});

function assertWithin(port: number): void {
	assert.ok(port >= PORTS.lowest && port <= PORTS.highest, `port ${port}`);
}

test.run();
