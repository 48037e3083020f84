/** Every public way to make something and to close it, compared with what the worker then says is alive: nothing. */

import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startEmbedded, stopEmbedded } from '../../bridge/embedded.ts';
import { type RTCDataChannel, RTCPeerConnection, type RTCRtpTransceiver } from '../../shim/api/index.ts';
import {
	AudioData,
	createMediaDevices,
	type MediaStreamTrack,
	MediaStreamTrackGenerator,
	MediaStreamTrackProcessor,
} from '../../shim/media/index.ts';
import { bindContext } from '../../shim/rpc/context.ts';
import { Session } from '../../shim/rpc/Session.ts';
import { childrenOf } from './bridge/processes.ts';
import { connected, gathered, makePair, negotiate, next, opened, type Pair, record, until } from './pcPair.ts';

let holds = 0;
const keepAlive = { ref: () => void holds++, unref: () => void holds-- };
/** A new one for each test: what one leaves behind is no other's failure. */
let session: Session;
const context = { session: () => session };
const Connection = bindContext(RTCPeerConnection, context);
const Generator = bindContext(MediaStreamTrackGenerator, context);
const devices = createMediaDevices(context);
const timer = setInterval(() => {}, 1_000);

const sample = fileURLToPath(new URL('../../demo/media/sample.webm', import.meta.url));
const pair = (configuration: RTCConfiguration = {}): Pair => makePair({ Connection, configuration });

async function alive(): Promise<Record<string, number>> {
	return (await session.root.call('dump', {})).objects;
}

/** Fails with what is still alive, or still holds the process, though everything was closed. */
async function nothingIsAlive(): Promise<void> {
	const isOver = async () => {
		const { objects, tasks } = await session.root.call('dump', {});
		return Object.keys(objects).length === 0 && tasks === 0;
	};
	await until('nothing is alive', isOver, 5_000).catch(async () => assert.equal(await alive(), {}));
	await until('nothing holds the process', () => holds === 0, 1_000);
}

/** Rejects when the work takes too long. */
async function inTime(work: Promise<unknown>): Promise<void> {
	let timeout: NodeJS.Timeout | undefined;
	const late = new Promise((_, reject) => {
		timeout = setTimeout(() => reject(new Error('it does not end')), 20_000);
	});
	await Promise.race([work, late]).finally(() => clearTimeout(timeout));
}

async function tracks(constraints: MediaStreamConstraints = { audio: true, video: true }): Promise<MediaStreamTrack[]> {
	return (await devices.getUserMedia(constraints)).getTracks();
}

async function refused(work: () => Promise<unknown>): Promise<void> {
	const error = await work().then(
		() => null,
		(error: Error) => error,
	);
	assert.ok(error, 'it was not refused');
}

type Reader = ReadableStreamDefaultReader<globalThis.VideoFrame | globalThis.AudioData>;

function readerOf(track: MediaStreamTrack): Reader {
	return new MediaStreamTrackProcessor({ track }).readable.getReader() as Reader;
}

/** Reads to the end. */
async function drain(reader: Reader): Promise<void> {
	for (let read = await reader.read(); !read.done; read = await reader.read()) read.value.close();
}

function silence(): AudioData {
	const data = new Int16Array(960);
	const shape = { format: 's16', sampleRate: 48_000, numberOfFrames: 960, numberOfChannels: 1, timestamp: 0 } as const;
	return new AudioData({ ...shape, data });
}

function pick(counts: Record<string, number>, ...types: string[]): Record<string, number> {
	return Object.fromEntries(types.map((type) => [type, counts[type] ?? 0]));
}

function withMedia({ offerer }: Pair): RTCRtpTransceiver[] {
	return [offerer.addTransceiver('audio'), offerer.addTransceiver('video')];
}

/** A pair whose three sections have a transport each while the offer is open. */
function unbundled(): Pair & { audio: RTCRtpTransceiver; video: RTCRtpTransceiver; channel: RTCDataChannel } {
	const made = pair({ bundlePolicy: 'max-compat' });
	const [audio, video] = withMedia(made);
	return { ...made, audio: audio!, video: video!, channel: made.offerer.createDataChannel('x') };
}

const withoutBundle = (sdp: string): string => sdp.replace(/^a=group:BUNDLE.*\r\n/m, '');
const rejecting = (kind: string) => (sdp: string, type: string) =>
	type === 'answer' ? sdp.replace(new RegExp(`^m=${kind} \\d+`, 'm'), `m=${kind} 0`) : sdp;

/** What was made at the end of each is closed by close(), given what `states` made of the pair. */
const states: Record<string, (made: Pair) => Promise<unknown>> = {
	'stable, before anything': async () => {},
	'stable, with an offer that was made and not set': async ({ offerer }) => offerer.createOffer(),
	'while an offer is being set': async ({ offerer }) => void offerer.setLocalDescription(),
	'have-local-offer': async ({ offerer }) => offerer.setLocalDescription(),
	'have-local-offer, gathered': async ({ offerer }) => {
		await offerer.setLocalDescription();
		await gathered(offerer);
	},
	'have-remote-offer': async ({ offerer, answerer }) => {
		await offerer.setLocalDescription();
		await answerer.setRemoteDescription(offerer.localDescription!);
	},
	'have-local-pranswer and have-remote-pranswer': async ({ offerer, answerer }) => {
		await offerer.setLocalDescription();
		await answerer.setRemoteDescription(offerer.localDescription!);
		const { sdp } = await answerer.createAnswer();
		await answerer.setLocalDescription({ type: 'pranswer', sdp });
		await offerer.setRemoteDescription({ type: 'pranswer', sdp: sdp! });
	},
	'stable, checking': (made) => negotiate(made),
	connected: async (made) => {
		await negotiate(made);
		await connected(made.offerer, made.answerer);
	},
	'connected, with a second offer open': async (made) => {
		await negotiate(made);
		await connected(made.offerer, made.answerer);
		made.offerer.addTransceiver('audio');
		await made.offerer.setLocalDescription();
	},
	'connected, with an ICE restart open': async (made) => {
		await negotiate(made);
		await connected(made.offerer, made.answerer);
		made.offerer.restartIce();
		await made.offerer.setLocalDescription();
		await gathered(made.offerer);
	},
	'closed in a handler of its own event': async (made) => {
		const [found, offered] = [next(made.offerer, 'icecandidate'), next(made.answerer, 'track')];
		made.offerer.addEventListener('icecandidate', () => made.offerer.close());
		made.answerer.addEventListener('track', () => made.answerer.close());
		await made.offerer.setLocalDescription();
		// What a connection is doing when it is closed never ends.
		void made.answerer.setRemoteDescription(made.offerer.localDescription!);
		await Promise.all([found, offered]);
	},
};

for (const bundlePolicy of ['balanced', 'max-compat', 'max-bundle'] as const) {
	for (const [name, reach] of Object.entries(states)) {
		test(`connections (${bundlePolicy}) closed in the state: ${name}`, async () => {
			const made = pair({ bundlePolicy });
			withMedia(made);
			made.offerer.createDataChannel('x');
			await inTime(reach(made));
			made.close();
			await nothingIsAlive();
		});
	}
}

const cases: Record<string, () => Promise<unknown>> = {
	'transceivers stopped before, between and after descriptions': async () => {
		const made = pair({ bundlePolicy: 'max-compat' });
		const [audio, video] = withMedia(made);
		const early = made.offerer.addTransceiver('audio');
		early.stop();
		await negotiate(made);
		audio!.stop();
		await made.offerer.setLocalDescription();
		video!.stop();
		await made.answerer.setRemoteDescription(made.offerer.localDescription!);
		await made.answerer.setLocalDescription();
		await made.offerer.setRemoteDescription(made.answerer.localDescription!);
		await negotiate(made);
		assert.equal(made.offerer.getTransceivers(), []);
		made.close();
	},
	'second offers, with other sections each': async () => {
		const { offerer, video, close } = unbundled();
		await offerer.setLocalDescription();
		video.stop();
		await offerer.setLocalDescription();
		offerer.addTransceiver('audio');
		await offerer.setLocalDescription(await offerer.createOffer({ iceRestart: true }));
		close();
	},
	'offers that were rolled back': async () => {
		const { offerer, answerer, close } = unbundled();
		await offerer.setLocalDescription();
		await answerer.setRemoteDescription(offerer.localDescription!);
		await answerer.setRemoteDescription({ type: 'rollback', sdp: '' });
		await offerer.setLocalDescription({ type: 'rollback' });
		await until('their transports are gone', async () => !('IceTransport' in (await alive())));
		close();
	},
	'a connected pair, whose next offers of both sides were rolled back': async () => {
		const { offerer, answerer, close } = unbundled();
		await negotiate({ offerer, answerer });
		await connected(offerer, answerer);
		offerer.restartIce();
		offerer.addTransceiver('video');
		await offerer.setLocalDescription();
		await answerer.setRemoteDescription(offerer.localDescription!);
		await answerer.setRemoteDescription({ type: 'rollback', sdp: '' });
		await offerer.setLocalDescription({ type: 'rollback' });
		close();
	},
	glare: async () => {
		const { offerer, answerer, close } = unbundled();
		answerer.addTransceiver('video');
		answerer.createDataChannel('y');
		await offerer.setLocalDescription();
		await answerer.setLocalDescription();
		await answerer.setRemoteDescription(offerer.localDescription!);
		await answerer.setLocalDescription();
		await offerer.setRemoteDescription(answerer.localDescription!);
		await negotiate({ offerer: answerer, answerer: offerer });
		close();
	},
	'a pair whose data section the answer rejects': async () => {
		const { offerer, answerer, channel, close } = unbundled();
		const closed = next(channel, 'close');
		await offerer.setLocalDescription();
		await answerer.setRemoteDescription(offerer.localDescription!);
		const { sdp } = await answerer.createAnswer();
		await offerer.setRemoteDescription({ type: 'answer', sdp: rejecting('application')(sdp!, 'answer') });
		await closed;
		close();
	},
	'sections recycled': async () => {
		const made = unbundled();
		const { offerer, answerer, close } = made;
		await negotiate(made);
		for (let round = 0; round < 3; round += 1) {
			for (const transceiver of offerer.getTransceivers()) transceiver.stop();
			await negotiate(made);
			withMedia(made);
			await negotiate({ offerer, answerer });
		}
		assert.is(offerer.getTransceivers().length, 2);
		const both = { RtpSender: 4, RtpReceiver: 4 };
		await until('the stopped ones are gone', async () => (await alive()).RtpSender === both.RtpSender);
		assert.equal(pick(await alive(), 'RtpSender', 'RtpReceiver'), both);
		close();
	},
	'an answer that bundles, and one that does not': async () => {
		for (const edit of [(sdp: string) => sdp, withoutBundle]) {
			const made = unbundled();
			await negotiate(made, { edit });
			await connected(made.offerer, made.answerer);
			made.close();
		}
	},
	'channels closed by either side, by both, and while they connect': async () => {
		const made = pair();
		const { offerer, answerer, close } = made;
		const channels = ['ours', 'theirs', 'both', 'connecting', 'left'].map((label) => offerer.createDataChannel(label));
		channels[3]!.close();
		const incoming = new Map<string, RTCDataChannel>();
		answerer.addEventListener(
			'datachannel',
			({ channel }) => void incoming.set(channel.label, channel as unknown as RTCDataChannel),
		);
		await negotiate(made);
		await until('all are there', () => incoming.size === 4);
		const closed = [0, 1, 2].map((index) => next(channels[index]!, 'close'));
		channels[0]!.send(new Blob(['waits']) as never);
		channels[0]!.close();
		incoming.get('theirs')!.close();
		channels[2]!.close();
		incoming.get('both')!.close();
		await Promise.all(closed);
		await until('closed channels are gone', async () => (await alive()).DataChannel === 2);
		close();
	},
	'negotiated channels, and one whose id is beyond the limit': async () => {
		const made = pair();
		const ours = made.offerer.createDataChannel('n', { negotiated: true, id: 7 });
		const theirs = made.answerer.createDataChannel('n', { negotiated: true, id: 7 });
		await negotiate(made);
		await Promise.all([opened(ours), opened(theirs)]);
		assert.throws(() => made.offerer.createDataChannel('n', { negotiated: true, id: 7 }));
		made.close();
	},
	'a connection whose peer was closed first': async () => {
		const made = unbundled();
		await negotiate(made);
		await opened(made.channel);
		const closed = next(made.channel, 'close');
		made.answerer.close();
		await closed;
		made.close();
	},
	'a restart of ICE': async () => {
		const made = unbundled();
		await negotiate(made);
		await connected(made.offerer, made.answerer);
		for (let round = 0; round < 3; round += 1) {
			made.offerer.restartIce();
			await negotiate(made);
		}
		await connected(made.offerer, made.answerer);
		made.close();
	},
	'tracks that were sent, replaced, removed and stopped': async () => {
		const made = pair();
		const [audio, video] = await tracks();
		const [other] = await tracks({ video: { width: 160, height: 120 } });
		const senders = [audio!, video!].map((track) => made.offerer.addTrack(track));
		await negotiate(made);
		await connected(made.offerer, made.answerer);
		await senders[1]!.replaceTrack(other!);
		await senders[1]!.replaceTrack(null);
		made.offerer.removeTrack(senders[0]!);
		await negotiate(made);
		made.offerer.addTrack(audio!);
		await negotiate(made);
		await made.offerer.getStats();
		const tones = made.offerer.getSenders().find(({ track }) => track === audio)!.dtmf!;
		await until('tones may be sent', () => tones.canInsertDTMF);
		const timers = () => process.getActiveResourcesInfo().filter((type) => type === 'Timeout').length;
		const before = timers();
		const toned = next(tones, 'tonechange');
		tones.insertDTMF('1234#', 6_000);
		await toned;
		assert.is(timers(), before + 1);
		made.close();
		assert.is(timers(), before);
		for (const track of [audio!, video!, other!]) track.stop();
		for (const sender of senders) await refused(() => sender.replaceTrack(audio!));
	},
	'tracks that were stopped before their connection was closed, and clones': async () => {
		const made = pair();
		const [audio, video] = await tracks();
		const clones = [audio!.clone(), video!.clone()];
		for (const track of [audio!, video!, ...clones]) made.offerer.addTrack(track);
		await negotiate(made);
		for (const track of [audio!, video!, ...clones]) track.stop();
		assert.is(audio!.clone().readyState, 'ended');
		made.offerer.addTrack(audio!.clone());
		made.close();
	},
	'tracks that their file ended': async () => {
		const file = { sourceType: 'file', source: sample } as const;
		const [audio, video] = await tracks({ audio: file, video: file } as MediaStreamConstraints);
		const clone = video!.clone();
		const ended = [audio!, video!, clone].map((track) => next(track, 'ended', 20_000));
		await Promise.all([audio!, video!].map((track) => drain(readerOf(track))));
		await Promise.all(ended);
	},
	'getUserMedia() that was refused, wholly or by half': async () => {
		const missing = { sourceType: 'file', source: '/no/such/file' } as MediaTrackConstraints;
		await refused(() => tracks({ video: missing }));
		await refused(() => tracks({ audio: true, video: missing }));
		await refused(() => tracks({ video: { width: { exact: 160 }, sourceType: 'file', source: sample } as never }));
		await refused(() => tracks({ video: { deviceId: { exact: 'none' } } }));
	},
	'generators that were closed, aborted, stopped, or stopped while they write': async () => {
		const made = pair();
		const generators = Array.from({ length: 4 }, () => new Generator({ kind: 'audio' }));
		for (const generator of generators) made.offerer.addTrack(generator);
		await negotiate(made);
		const writers = generators.map(({ writable }) => writable.getWriter());
		await Promise.all(writers.map((writer) => writer.write(silence())));
		await writers[0]!.close();
		await writers[1]!.abort();
		generators[2]!.stop();
		const late = writers[3]!.write(silence());
		generators[3]!.stop();
		await late.catch(() => {});
		new Generator({ kind: 'video' }).stop();
		made.close();
	},
	'processors: cancelled, ended by their track, never read, of an ended track': async () => {
		const [audio, video] = await tracks();
		const clone = video!.clone();
		const settle = () => new Promise((resolve) => setTimeout(resolve, 200));
		const [heard, seen, unseen] = [audio!, video!, clone].map(readerOf);
		(await heard!.read()).value!.close();
		await heard!.cancel();
		const drained = drain(seen!);
		video!.stop();
		await drained;
		await settle();
		clone.stop();
		audio!.stop();
		await drain(readerOf(audio!));
		// A picture waits in the worker for a read that does not come before the end.
		await nothingIsAlive();
		await drain(unseen!);
	},
	'remote tracks read, cloned and sent on, whichever connection is closed first': async () => {
		for (const first of [0, 1]) {
			const [from, to] = [pair(), pair()];
			const [video] = await tracks({ video: true });
			from.offerer.addTrack(video!);
			await negotiate(from);
			const [receiver] = from.answerer.getReceivers();
			const clone = receiver!.track.clone();
			const drained = drain(readerOf(receiver!.track as unknown as MediaStreamTrack));
			to.offerer.addTrack(receiver!.track as unknown as MediaStreamTrack);
			to.offerer.addTrack(clone as unknown as MediaStreamTrack);
			await negotiate(to);
			await connected(to.offerer, to.answerer);
			const order = first === 0 ? [from, to] : [to, from];
			for (const made of order) made.close();
			await until('the clone has ended with its source', () => clone.readyState === 'ended');
			await drained;
			video!.stop();
		}
	},
	'connections that were asked for statistics while they close': async () => {
		const made = unbundled();
		await negotiate(made);
		const reports = [made.offerer.getStats(), made.answerer.getReceivers()[0]!.getStats()];
		made.close();
		await Promise.all(reports);
		await made.offerer.getStats();
	},
};

for (const [name, run] of Object.entries(cases)) {
	test(`nothing is left of ${name}`, async () => {
		await inTime(run());
		await nothingIsAlive();
	});
}

/** What a walk may do to two connections and to what was made on the way; `n` chooses among what there is. */
class Walk {
	readonly made = pair({ bundlePolicy: 'balanced' });
	readonly tracks: MediaStreamTrack[] = [];
	readonly readers: Reader[] = [];
	readonly channels: RTCDataChannel[] = [];

	constructor() {
		for (const connection of this.#connections) {
			connection.addEventListener('datachannel', ({ channel }) =>
				this.channels.push(channel as unknown as RTCDataChannel),
			);
		}
	}

	get #connections(): RTCPeerConnection[] {
		return [this.made.offerer, this.made.answerer];
	}

	#side(n: number): Pick<Pair, 'offerer' | 'answerer'> {
		const [one, other] = this.#connections;
		return n % 2 === 0 ? { offerer: one!, answerer: other! } : { offerer: other!, answerer: one! };
	}

	readonly steps: Record<string, (n: number) => unknown> = {
		addTransceiver: (n) => this.#side(n).offerer.addTransceiver(n % 3 === 0 ? 'audio' : 'video'),
		addTrack: (n) => withOne(this.tracks, n, (track) => this.#side(n >> 2).offerer.addTrack(track)),
		stopTransceiver: (n) => withOne(this.#side(n).offerer.getTransceivers(), n >> 1, (each) => each.stop()),
		removeTrack: (n) =>
			withOne(this.#side(n).offerer.getSenders(), n >> 1, (each) => this.#side(n).offerer.removeTrack(each)),
		replaceTrack: (n) =>
			withOne(this.#side(n).offerer.getSenders(), n >> 1, (sender) => sender.replaceTrack(this.tracks[n % 3] ?? null)),
		createDataChannel: (n) => this.channels.push(this.#side(n).offerer.createDataChannel('x')),
		closeDataChannel: (n) => withOne(this.channels, n, (channel) => channel.close()),
		restartIce: (n) => this.#side(n).offerer.restartIce(),
		offer: (n) => this.#side(n).offerer.setLocalDescription(),
		takeOffer: (n) => {
			const { offerer, answerer } = this.#side(n);
			return answerer.setRemoteDescription(offerer.localDescription!);
		},
		negotiate: (n) => negotiate(this.#side(n)),
		rejectAll: (n) => negotiate(this.#side(n), { edit: rejecting('(?:audio|video)') }),
		unbundle: (n) => negotiate(this.#side(n), { edit: withoutBundle }),
		rollbackLocal: (n) => this.#side(n).offerer.setLocalDescription({ type: 'rollback' }),
		rollbackRemote: (n) => this.#side(n).offerer.setRemoteDescription({ type: 'rollback', sdp: '' }),
		getUserMedia: async (n) => this.tracks.push(...(await tracks({ audio: n % 2 === 0, video: n % 2 === 1 }))),
		generate: () => this.tracks.push(new Generator('audio')),
		cloneTrack: (n) => withOne(this.tracks, n, (track) => this.tracks.push(track.clone())),
		cloneRemote: (n) =>
			withOne(this.#side(n).answerer.getReceivers(), n >> 1, ({ track }) =>
				this.tracks.push(track.clone() as unknown as MediaStreamTrack),
			),
		stopTrack: (n) => withOne(this.tracks, n, (track) => track.stop()),
		readTrack: (n) => withOne(this.tracks, n, (track) => this.readers.push(readerOf(track))),
		cancelReader: (n) => withOne(this.readers, n, (reader) => reader.cancel()),
		getStats: (n) => this.#side(n).offerer.getStats(),
		wait: (n) => new Promise((resolve) => setTimeout(resolve, n)),
		closeConnection: (n) => n % 4 === 0 && this.#side(n >> 2).offerer.close(),
	};

	/** A step may be refused, as may what a closed connection is asked for last: its promise may never settle. */
	async take(name: string, n: number): Promise<void> {
		const work = async (): Promise<unknown> => this.steps[name]!(n);
		await Promise.race([work().catch(() => {}), new Promise((resolve) => setTimeout(resolve, 1_000))]);
	}

	/** Everything, in one way or another. */
	close(): void {
		this.made.close();
		for (const track of this.tracks) track.stop();
	}
}

function withOne<T>(list: readonly T[], n: number, use: (each: T) => unknown): unknown {
	return list.length > 0 ? use(list[n % list.length]!) : undefined;
}

test('whatever a program makes and closes, in whatever order: once it has closed all, nothing is alive', async () => {
	const { steps, made } = new Walk();
	made.close();
	const names = Object.keys(steps);
	const step = fc.tuple(fc.constantFrom(...names), fc.nat(100));
	const walk = fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 24 }), async (steps) => {
		const walk = new Walk();
		for (const [name, n] of steps) await walk.take(name, n);
		walk.close();
		await nothingIsAlive();
	});
	await fc.assert(walk, { numRuns: 25, endOnFailure: true });
});

test('a transport that only a replaced offer had is closed with the next offer', async () => {
	const { offerer, video, close } = unbundled();
	await offerer.setLocalDescription();
	assert.equal(pick(await alive(), 'IceTransport', 'DtlsTransport'), { IceTransport: 3, DtlsTransport: 3 });
	video.stop();
	await offerer.setLocalDescription();
	await until('its transport is gone', async () => (await alive()).IceTransport === 2);
	close();
	await nothingIsAlive();
});

test('a session that is lost while everything is under way: all that lived in it ends, once, and nothing holds the process', async () => {
	const made = pair();
	const { offerer, answerer } = made;
	const channel = offerer.createDataChannel('x');
	const [video] = await tracks({ video: true });
	const generator = new Generator('audio');
	offerer.addTrack(video!);
	offerer.addTrack(generator);
	await negotiate(made);
	await opened(channel);
	const remote = answerer.getReceivers()[0]!.track;
	const clone = remote.clone();
	const seen = [channel, video!, generator, remote, clone].map((target) => record(target, 'close', 'ended'));
	const drained = drain(readerOf(video!));
	const key = { name: 'ECDSA', namedCurve: 'P-256' } as EcKeyGenParams;
	const pending = Promise.allSettled([tracks(), Connection.generateCertificate(key)]);
	for (const worker of childrenOf()) process.kill(worker, 'SIGKILL');
	await drained;
	await pending;
	await until('nothing holds the process', () => holds === 0);
	// What a program writes lives in no session.
	assert.equal(seen, [['close'], ['ended'], [], ['ended'], ['ended']]);
	assert.equal([offerer.connectionState, answerer.connectionState], ['failed', 'failed']);
	made.close();
});

test.before.each(() => {
	session = new Session({ connect: startEmbedded, keepAlive });
});

test.after.each(() => session.close());

test.after(async () => {
	await stopEmbedded();
	clearInterval(timer);
	assert.is(holds, 0);
});

test.run();
