/** What is tried with every peer. A scenario throws when something is not as it should be, else it may give a figure. */
import { randomBytes } from 'node:crypto';
import { Call, PATIENCE, type Role, seenBy } from './Call.ts';
import type { Coturn } from './Coturn.ts';
import type { Peer } from './Peer.ts';
import { type End, type Kind, type Report, TONES, type VideoCodec } from './protocol.ts';

/** What a peer must be able to do for a scenario; a peer that is not says so in its `lacks`. */
export type Need =
	| 'answer'
	| 'offer'
	| 'data'
	| 'audio'
	| 'VP8'
	| 'H264'
	/** A further exchange that it begins. */
	| 'renegotiate'
	/** A further exchange that the shim begins. */
	| 'be renegotiated'
	/** An ICE restart that it begins. */
	| 'restart'
	/** An ICE restart that the shim begins. */
	| 'be restarted'
	/** To answer while an offer of its own is pending. */
	| 'roll back'
	| 'ICE-lite';

export interface Context {
	readonly peer: Peer;
	readonly role: Role;
	/** Whether the peer can do that. */
	can(need: Need): boolean;
	/** A TURN server. */
	coturn(): Promise<Coturn>;
}

export interface Scenario {
	/** As words of a command line and keys of expectations.json have it. */
	readonly name: string;
	/** As a table has it. */
	readonly title: string;
	/** The roles in which it differs; both unless given. */
	readonly roles?: readonly Role[];
	/** Beside `answer` or `offer`, which follow from the role. */
	readonly needs: readonly Need[];
	/** Of a role. */
	readonly needsAs?: Partial<Record<Role, readonly Need[]>>;
	/** It waits more than it works, and runs beside others, with a process of the peer's for itself. */
	readonly aside?: boolean;
	readonly run: (context: Context) => Promise<string | undefined>;
}

const LABEL = 'data';
const FLOOD = { label: 'flood', count: 512, bytes: 16 * 1024 };
/** Larger messages are not tried: JavaScript has each whole. */
const LARGEST = 4 << 20;
/** What Chromium takes for a limit of its own. */
const COMMON_LIMIT = 262_144;
/** Milliseconds that an ICE-lite peer may take longer than a full one. */
const LITE_MS = 700;
/** Frames or packets that flow between the reports of two ends. */
const SLACK = 25;
/** A peer that never says that it has no more candidates is waited for until then. */
const FAILED_MS = 60_000;

export const SCENARIOS: readonly Scenario[] = [
	{
		name: 'connect',
		title: 'connect',
		needs: ['data'],
		run: (context) => withCall(context, async (call) => `${Math.round(await connect(call))} ms`),
	},
	{ name: 'audio', title: 'Opus', needs: ['audio'], run: (context) => withCall(context, audio) },
	{ name: 'vp8', title: 'VP8', needs: ['VP8'], run: (context) => withCall(context, (call) => video(call, 'VP8')) },
	{ name: 'h264', title: 'H.264', needs: ['H264'], run: (context) => withCall(context, (call) => video(call, 'H264')) },
	{ name: 'data', title: 'messages', needs: ['data'], run: (context) => withCall(context, messages) },
	{ name: 'empty', title: 'empty messages', needs: ['data'], run: (context) => withCall(context, empty) },
	{ name: 'largest', title: 'largest message', needs: ['data'], run: (context) => withCall(context, largest) },
	{ name: 'flood', title: '8 MiB each way', needs: ['data'], run: (context) => withCall(context, flood) },
	{
		name: 'renegotiation',
		title: 'renegotiation',
		needs: ['data'],
		needsAs: { shim: ['be renegotiated'], peer: ['renegotiate'] },
		run: (context) => withCall(context, (call) => renegotiation(call, context)),
	},
	{
		name: 'restart',
		title: 'ICE restart',
		needs: ['data'],
		needsAs: { shim: ['be restarted'], peer: ['restart'] },
		run: (context) => withCall(context, restart),
	},
	{
		name: 'glare',
		title: 'glare, the offerer is polite',
		needs: ['data', 'offer', 'answer', 'renegotiate', 'be renegotiated'],
		needsAs: { peer: ['roll back'] },
		run: (context) => withCall(context, (call) => glare(call, context)),
	},
	...(['udp', 'tcp', 'tls'] as const).map(
		(transport): Scenario => ({
			name: `relay-${transport}`,
			title: `relay by ${transport.toUpperCase()}`,
			needs: ['data'],
			run: (context) => relay(context, transport),
		}),
	),
	{
		name: 'password',
		title: 'wrong TURN password',
		roles: ['shim'],
		needs: ['data'],
		aside: true,
		run: wrongPassword,
	},
	{ name: 'killed', title: 'peer killed', roles: ['shim'], needs: ['data'], aside: true, run: killed },
	{ name: 'lite', title: 'ICE-lite', needs: ['data', 'ICE-lite'], run: lite },
];

/** What is done by way of a server, with the shim at both ends. */
export const ROOM_SCENARIOS: readonly Scenario[] = (
	[
		['data', 'messages'],
		['audio', 'Opus'],
		['vp8', 'VP8'],
		['h264', 'H.264'],
		['reconnect', 'reconnection'],
	] as const
).map(([name, title]) => ({
	name,
	title,
	roles: ['shim'],
	needs: [],
	run: async ({ peer }) => (await peer.askRoom(name)).figure,
}));

/** Runs with a fresh connection, and closes it. */
async function withCall<T>(
	context: Context,
	run: (call: Call) => Promise<T>,
	configuration?: RTCConfiguration,
): Promise<T> {
	const call = new Call(context.peer, context.role, configuration);
	await call.open();
	try {
		return await run(call);
	} finally {
		await call.close().catch(() => {});
	}
}

/** A channel of the offerer's; the milliseconds until it is open at both ends. */
async function connect(call: Call): Promise<number> {
	await call.offerer.ask('channel', { label: LABEL });
	const started = performance.now();
	await call.negotiate();
	await call.opened(LABEL);
	const milliseconds = performance.now() - started;
	await call.untilBoth('connected', ({ connection }) => connection === 'connected');
	await call.talk(LABEL);
	return milliseconds;
}

async function audio(call: Call): Promise<string> {
	for (const end of call.ends) await end.ask('media', { kind: 'audio' });
	await call.negotiate();
	await call.flows('audio');
	// What fills the buffers first is no tone yet.
	await new Promise((resolve) => setTimeout(resolve, 1_000));
	const heard = [];
	for (const [end, tone] of [[call.shim, TONES.peer] as const, [call.peer, TONES.shim] as const]) {
		const { level, frequency } = (await call.report(end)).heard!;
		if (level < 0.02) throw new Error(`${call.name(end)} hears silence (${level})`);
		if (frequency === undefined) continue;
		if (Math.abs(frequency / tone - 1) > 0.05) throw new Error(`${call.name(end)} hears ${frequency} Hz, not ${tone}`);
		heard.push(`${Math.round(frequency)} Hz`);
	}
	await compareStatistics(call, 'audio');
	return heard.join(' / ');
}

async function video(call: Call, codec: VideoCodec): Promise<string> {
	for (const end of call.ends) await end.ask('media', { kind: 'video', codec });
	const { answer } = await call.negotiate();
	if (!answer.includes(`${codec}/90000`)) throw new Error(`the answer has no ${codec}`);
	await call.flows('video', call.ends, 10);
	const rates = [];
	for (const rate of await Promise.all(call.ends.map((end) => measure(call, end)))) rates.push(Math.round(rate));
	for (const end of call.ends) {
		const { frames, moving, width, height } = (await call.report(end)).seen!;
		if (width !== 320 || height !== 240) throw new Error(`${call.name(end)} sees ${width}x${height}`);
		if (moving !== undefined && moving < frames / 2) throw new Error(`${moving} of ${frames} pictures are new`);
	}
	await compareStatistics(call, 'video');
	return `${rates[0]} / ${rates[1]} fps`;
}

/** Frames a second that an end decodes, over 30 of them. */
async function measure(call: Call, end: End): Promise<number> {
	const first = seenBy(await call.report(end));
	const started = performance.now();
	await call.flows('video', [end], first + 30);
	const frames = seenBy(await call.report(end)) - first;
	return (frames * 1_000) / (performance.now() - started);
}

/** What one end says that it sent is what the other says that it received, as far as both count. */
async function compareStatistics(call: Call, kind: Kind): Promise<void> {
	for (const from of call.ends) {
		const to = call.other(from);
		const earlier = (await call.report(from)).sent[kind];
		const received = (await call.report(to)).received[kind];
		const later = (await call.report(from)).sent[kind];
		if (earlier === undefined || later === undefined || received === undefined) continue;
		if (received < earlier - SLACK || received > later + SLACK) {
			throw new Error(`${call.name(from)} sent ${earlier} to ${later}, ${call.name(to)} received ${received}`);
		}
	}
}

async function messages(call: Call): Promise<undefined> {
	await connect(call);
	const all = ['grüße 🎈', randomBytes(1_000), 'x'.repeat(60_000), randomBytes(60_000)];
	for (const end of call.ends) await call.say(end, LABEL, all);
}

async function empty(call: Call): Promise<undefined> {
	await connect(call);
	for (const end of call.ends) await call.say(end, LABEL, ['', Buffer.alloc(0), 'after']);
}

/** The largest that the other end announces, and where that is more than is common, one byte more than is. */
async function largest(call: Call): Promise<string> {
	await connect(call);
	const sizes = [];
	for (const end of call.ends) {
		const size = Math.min(await limitOf(call, end), LARGEST);
		if (size > COMMON_LIMIT) await call.say(end, LABEL, [randomBytes(COMMON_LIMIT + 1)]);
		await call.say(end, LABEL, [randomBytes(size), 'x'.repeat(size), 'after']);
		sizes.push(`${size / 1024} KiB`);
	}
	return sizes.join(' / ');
}

/** What an end may send: what it says, or what the other's description announces. */
async function limitOf(call: Call, end: End): Promise<number> {
	const { connection } = call.shim;
	const { maxMessageSize } = await end.ask('report', {});
	if (end === call.shim) return maxMessageSize!;
	const announced = Number(/^a=max-message-size:(\d+)/m.exec(connection.localDescription!.sdp)![1]);
	return Math.min(announced, maxMessageSize ?? announced);
}

async function flood(call: Call): Promise<string> {
	await call.offerer.ask('channel', { label: FLOOD.label });
	await call.negotiate();
	await call.opened(FLOOD.label);
	const rates = [];
	for (const from of call.ends) {
		const started = performance.now();
		const [, report] = await Promise.all([
			from.ask('flood', FLOOD),
			call.until(call.other(from), 'all of the flood', (report) => report.flood.count >= FLOOD.count, 60_000),
		]);
		const bytes = FLOOD.count * FLOOD.bytes;
		if (report.flood.bytes !== bytes) throw new Error(`${report.flood.bytes} of ${bytes} bytes came`);
		rates.push((bytes / 1e3 / (performance.now() - started)).toFixed(1));
	}
	return `${rates.join(' / ')} MB/s`;
}

/** Sound, then a picture are added, the picture is taken away, a channel is opened: each by the offerer. */
async function renegotiation(call: Call, { can }: Context): Promise<undefined> {
	await connect(call);
	const receiver = call.other(call.offerer);
	if (can('audio')) {
		await call.offerer.ask('media', { kind: 'audio' });
		await call.negotiate();
		await call.flows('audio', [receiver]);
	}
	if (can('VP8')) {
		await call.offerer.ask('media', { kind: 'video', codec: 'VP8' });
		await call.negotiate();
		await call.flows('video', [receiver]);
		await call.offerer.ask('unmedia', { kind: 'video' });
		await call.negotiate();
		await standsStill(call, receiver);
	}
	await call.offerer.ask('channel', { label: 'later' });
	await call.negotiate();
	await call.opened('later');
	await call.talk('later');
	await call.talk(LABEL);
}

/** No picture comes any more. */
async function standsStill(call: Call, end: End): Promise<void> {
	const limit = performance.now() + PATIENCE;
	for (let last = -1; ; ) {
		const frames = seenBy(await call.report(end));
		if (frames === last) return;
		if (performance.now() > limit) throw new Error(`${call.name(end)} still sees pictures of the track that is gone`);
		last = frames;
		await new Promise((resolve) => setTimeout(resolve, 400));
	}
}

async function restart(call: Call): Promise<string> {
	await connect(call);
	const before = call.shim.connection;
	const [local, remote] = [ufragOf(before.localDescription!.sdp), ufragOf(before.remoteDescription!.sdp)];
	const started = performance.now();
	await call.negotiate(call.offerer, { restart: true });
	await call.talk(LABEL);
	const milliseconds = performance.now() - started;
	const after = [ufragOf(before.localDescription!.sdp), ufragOf(before.remoteDescription!.sdp)];
	if (after[0] === local || after[1] === remote) throw new Error(`credentials stayed: ${local}, ${remote}; ${after}`);
	await call.untilBoth('connected', ({ connection }) => connection === 'connected');
	await call.talk(LABEL);
	return `${Math.round(milliseconds)} ms`;
}

function ufragOf(sdp: string): string {
	return /^a=ice-ufrag:(\S+)/m.exec(sdp)![1]!;
}

/** Both offer at once: the polite end rolls back and answers, and offers again what it wanted. */
async function glare(call: Call, { can }: Context): Promise<undefined> {
	const media = can('audio');
	if (media) await connect(call);
	const polite = call.offerer;
	const impolite = call.other(polite);
	for (const end of call.ends) {
		if (media) await end.ask('media', { kind: 'audio' });
		else await end.ask('channel', { label: `of ${call.name(end)}` });
	}
	await call.describe(polite, 'offer', {});
	await call.answer(impolite, await call.describe(impolite, 'offer', {}));
	await call.negotiate(polite);
	if (media) await call.flows('audio');
	else for (const end of call.ends) await call.opened(`of ${call.name(end)}`);
	if (media) await call.talk(LABEL);
}

async function relay(context: Context, transport: 'udp' | 'tcp' | 'tls'): Promise<string> {
	const { server } = await context.coturn();
	const configuration: RTCConfiguration = { iceServers: [server(transport)], iceTransportPolicy: 'relay' };
	return withCall(
		context,
		async (call) => {
			const milliseconds = await connect(call);
			const { localCandidateType } = await call.shim.ask('report', {});
			if (localCandidateType !== 'relay') throw new Error(`connected by a ${localCandidateType} candidate`);
			return `${Math.round(milliseconds)} ms`;
		},
		configuration,
	);
}

async function wrongPassword(context: Context): Promise<string> {
	const { server } = await context.coturn();
	const iceServers = [{ ...server('udp'), credential: 'wrong' }];
	return withCall(
		context,
		async (call) => {
			const errors: number[] = [];
			call.shim.connection.onicecandidateerror = ({ errorCode }) => errors.push(errorCode);
			await call.offerer.ask('channel', { label: LABEL });
			const started = performance.now();
			await call.negotiate();
			await call.until(call.shim, 'failed', ({ connection }) => connection === 'failed', FAILED_MS);
			if (!errors.includes(401)) throw new Error(`errors ${errors}, not 401`);
			return `failed after ${Math.round((performance.now() - started) / 1_000)} s`;
		},
		{ iceServers, iceTransportPolicy: 'relay' },
	);
}

/** The peer dies without a word. */
async function killed(context: Context): Promise<string> {
	const call = new Call(context.peer, context.role);
	await call.open();
	try {
		await connect(call);
		const { connection } = call.shim;
		const started = performance.now();
		const seen: string[] = [];
		connection.onconnectionstatechange = () => {
			seen.push(`${connection.connectionState} ${Math.round((performance.now() - started) / 1_000)} s`);
		};
		context.peer.kill();
		const over = (report: Report) => report.connection === 'failed' || report.connection === 'closed';
		await call.until(call.shim, 'failed', over, FAILED_MS);
		if (!seen[0]?.startsWith('disconnected')) throw new Error(`states were ${seen}`);
		// An ICE restart could heal it until then, so the channel is still open.
		await call.shim.ask('close', {});
		await call.until(call.shim, 'its channel closed', ({ channels }) => channels[LABEL] === 'closed');
		return seen.join(', ');
	} finally {
		await call.shim.ask('close', {});
	}
}

/** An ICE-lite peer connects about as fast as a full one. */
async function lite(context: Context): Promise<string> {
	const times = [];
	for (const lite of [false, true]) {
		const call = new Call(context.peer, context.role);
		await call.open({ lite });
		try {
			times.push(Math.round(await connect(call)));
		} finally {
			await call.close().catch(() => {});
		}
	}
	const [full, one] = times as [number, number];
	if (one - full > LITE_MS) throw new Error(`${one} ms, a full agent ${full} ms`);
	return `${one} ms, a full agent ${full}`;
}
