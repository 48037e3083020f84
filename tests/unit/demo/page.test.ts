/** What the page makes of statistics, errors and a bridge; how it restores a connection. */
import { EventEmitter } from 'node:events';
import type { types } from 'mediasoup-client';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Path, type Standing, worstOf } from '../../../demo/Path.ts';
import { throughBridge } from '../../../demo/page/build.ts';
import { ratesOf, sampleOf } from '../../../demo/page/rates.ts';
import { inWords, rateInWords, sizeInWords, whyNoDevice } from '../../../demo/page/words.ts';

test('rates add up the transports of both connections, and the longer round trip counts', () => {
	const report = (timestamp: number, sent: number, received: number, trip?: number) =>
		new Map<string, object>([
			['T', { type: 'transport', timestamp, bytesSent: sent, bytesReceived: received, selectedCandidatePairId: 'P' }],
			['P', { type: 'candidate-pair', currentRoundTripTime: trip }],
			['O', { type: 'outbound-rtp', bytesSent: 1_000_000 }],
		]) as unknown as RTCStatsReport;
	const before = sampleOf([report(6_990, 1_000, 0), report(7_000, 0, 5_000)]);
	assert.equal(before, { at: 7_000, sent: 1_000, received: 5_000, roundTrip: null });
	const after = sampleOf([report(7_500, 2_000, 0, 0.002), report(7_490, 0, 5_250, 0.03)]);
	assert.is(after.roundTrip, 30);
	assert.equal(ratesOf(before, after), { send: 16, receive: 4 });
	assert.equal(ratesOf(after, before), { send: 0, receive: 0 }, 'a connection that begins anew sends nothing negative');
});

test('figures and errors are said as people say them', () => {
	assert.equal([0, 999, 1_500, 20_000, 3_000_000].map(sizeInWords), ['0 B', '999 B', '1.5 kB', '20 kB', '3.0 MB']);
	assert.equal([0.4, 999.4, 1_250].map(rateInWords), ['0 kbit/s', '999 kbit/s', '1.3 Mbit/s']);
	assert.match(inWords(new Error('websocket error')), /does not answer/);
	assert.match(inWords(new Error('join: the room is full: 8 peers')), /^The room is full\./);
	assert.is(inWords(new Error('something else')), 'Something else.');
	assert.is(whyNoDevice(new DOMException('', 'NotAllowedError')), 'the browser was not allowed to use it');
});

test('the page through the bridge carries the script with its attributes, whatever is in them', () => {
	const body = new TextEncoder().encode('<head><!-- shim --><script type="module"></script></head>');
	const bridge = { url: 'ws://127.0.0.1:1', token: '"><script>$&' };
	const html = new TextDecoder().decode(throughBridge({ type: 'text/html', body }, bridge).body);
	const tag = '<script src="/aiortc-shim.global.js" data-url="ws://127.0.0.1:1"';
	const token = 'data-token="&#34;&#62;&#60;script&#62;$&#38;" data-force></script>';
	assert.is(html, `<head>${tag} ${token}<script type="module"></script></head>`);
});

test('of two paths, the one that a person should hear of is told', () => {
	assert.is(worstOf(['connected', 'new']), 'connected');
	assert.is(worstOf(['connected', 'interrupted']), 'interrupted');
	assert.is(worstOf(['recovering', 'lost']), 'lost');
});

test('a path that fails has ICE restarted at once, and again when the server does not answer', async () => {
	const { transport, told, restarts } = watched([new Error('timeout'), 'answer']);
	transport.become('connecting', 'connected', 'failed');
	await until(() => restarts.length === 1);
	assert.equal(restarts, ['answer']);
	transport.become('connecting', 'connected');
	assert.equal(told, ['connecting', 'connected', 'recovering', 'connected']);
	transport.close();
});

test('an interruption that passes by itself restarts nothing', async () => {
	const { transport, told, restarts } = watched(['answer']);
	transport.become('connected', 'disconnected', 'connected');
	await new Promise((resolve) => setTimeout(resolve, 3_500));
	assert.equal(restarts, []);
	assert.equal(told, ['connected', 'interrupted', 'connected']);
	transport.close();
});

test('a path that no restart mends is lost', async () => {
	const { transport, told } = watched(Array.from({ length: 9 }, () => 'answer'));
	transport.become('connected');
	for (let i = 0; i < 6; i++) {
		transport.become('connecting', 'failed');
		await new Promise(setImmediate);
	}
	assert.is(told.at(-1), 'lost');
	transport.close();
});

class FakeTransport extends EventEmitter {
	readonly observer = new EventEmitter();
	connectionState = 'new';
	closed = false;
	readonly restarts: unknown[] = [];

	become(...states: string[]): void {
		for (const state of states) {
			this.connectionState = state;
			this.emit('connectionstatechange', state);
		}
	}

	async restartIce({ iceParameters }: { iceParameters: unknown }): Promise<void> {
		this.restarts.push(iceParameters);
	}

	close(): void {
		this.closed = true;
		this.observer.emit('close');
	}
}

/** @param answers what the server says to each restart */
function watched(answers: unknown[]) {
	const transport = new FakeTransport();
	const told: Standing[] = [];
	const ask = async () => {
		const answer = answers.shift();
		if (answer instanceof Error) throw answer;
		return answer as types.IceParameters;
	};
	new Path(transport as unknown as types.Transport, ask, (standing) => told.push(standing));
	return { transport, told, restarts: transport.restarts };
}

async function until(condition: () => boolean): Promise<void> {
	for (let waited = 0; !condition(); waited += 20) {
		assert.ok(waited < 10_000, `${condition}`);
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
}

test.run();
