/** The peers, what each needs of the machine, and what it cannot do. */
import { join, relative } from 'node:path';
import { WORKER } from '../../../bridge/paths.ts';
import { ensurePython } from '../../../bridge/python.ts';
import { ensureGoProgram } from '../../../scripts/go-program.ts';
import { ensureRecipe } from '../../../scripts/recipe.ts';
import {
	ensureChromium,
	ensureCoturn,
	ensureFirefox,
	ensureGStreamer,
	ensureJanus,
	SYSTEM_PYTHON,
} from '../../../scripts/system-packages.ts';
import { mediaFolder } from '../media/media.ts';
import { chromium, firefox } from './browsers.ts';
import type { Launch } from './Peer.ts';
import { type Need, ROOM_SCENARIOS, SCENARIOS, type Scenario } from './scenarios.ts';

type Log = (line: string) => void;

export interface Kind {
	/** As words of a command line and keys of expectations.json have it. */
	readonly name: string;
	/** As a table has it. */
	readonly title: string;
	/** Part of `npm test`: it is there within a minute. */
	readonly quick: boolean;
	/** What is tried with it. */
	readonly scenarios: readonly Scenario[];
	/** What it cannot do, each with a sentence on why. */
	readonly lacks: Partial<Record<Need, string>>;
	/**
	 * Makes sure of all that it needs, and says how it is started.
	 *
	 * @throws an Error with one sentence on what is missing
	 */
	readonly prepare: (log: Log) => Promise<() => Promise<Launch>>;
}

const PEERS = join(import.meta.dirname, '..', 'peers');

/** Later ones do not build from the module alone. */
const LIVEKIT = '1.11.0';
const NO_CODECS = 'libdatachannel has neither codecs nor, in Node, packetizers.';
const NO_RESTART = 'libjuice, its ICE, refuses new credentials.';
const NO_LITE = 'It is always a full ICE agent.';

export const KINDS: readonly Kind[] = [
	{
		name: 'pion',
		title: 'Pion',
		quick: true,
		scenarios: SCENARIOS,
		lacks: { 'roll back': 'Pion has no rollback: its state machine refuses one.' },
		async prepare(log) {
			const command = await ensureGoProgram({ name: 'interop-pion', source: { folder: join(PEERS, 'pion') } }, log);
			return async () => ({ command, args: [], env: { INTEROP_MEDIA: await mediaFolder() } });
		},
	},
	{
		name: 'node-datachannel',
		title: 'node-datachannel',
		quick: true,
		scenarios: SCENARIOS,
		lacks: {
			audio: NO_CODECS,
			VP8: NO_CODECS,
			H264: NO_CODECS,
			restart: NO_RESTART,
			'be restarted': NO_RESTART,
			'ICE-lite': NO_LITE,
		},
		prepare: (log) => nodePeer('node-datachannel', log),
	},
	{
		name: 'werift',
		title: 'werift',
		quick: true,
		scenarios: SCENARIOS,
		lacks: { 'ICE-lite': NO_LITE },
		prepare: (log) => nodePeer('werift', log),
	},
	{
		name: 'roamhq',
		title: '@roamhq/wrtc',
		quick: false,
		scenarios: SCENARIOS,
		lacks: { H264: 'It is built without H.264.', 'roll back': 'It has no implicit rollback.', 'ICE-lite': NO_LITE },
		prepare: (log) => nodePeer('roamhq', log),
	},
	{
		name: 'wrtc',
		title: 'wrtc of PyPI',
		quick: false,
		scenarios: SCENARIOS,
		lacks: { H264: 'Its H.264 is a plugin that it downloads.', 'ICE-lite': NO_LITE },
		async prepare(log) {
			const folder = join(PEERS, 'wrtc');
			const command = await ensurePython({
				lock: relative(WORKER, join(folder, 'requirements.lock')),
				onProgress: log,
			});
			return async () => ({ command, args: [join(folder, 'peer.py')] });
		},
	},
	{
		name: 'gstreamer',
		title: 'GStreamer webrtcbin',
		quick: true,
		scenarios: SCENARIOS,
		lacks: {
			renegotiate: 'webrtcbin cannot add sources to a connection that has been negotiated.',
			restart: 'webrtcbin has no ICE restart of its own.',
			'be restarted': 'webrtcbin answers an ICE restart with the credentials that it had.',
			'roll back': 'webrtcbin has no rollback.',
			'ICE-lite': NO_LITE,
		},
		async prepare(log) {
			await ensureGStreamer(log);
			return async () => ({ command: SYSTEM_PYTHON, args: [join(PEERS, 'gstreamer', 'peer.py')] });
		},
	},
	{
		name: 'chromium',
		title: 'Chromium',
		quick: true,
		scenarios: SCENARIOS,
		lacks: { 'ICE-lite': NO_LITE },
		async prepare(log) {
			const command = await ensureChromium(log);
			return () => chromium(command);
		},
	},
	{
		name: 'firefox',
		title: 'Firefox ESR',
		quick: false,
		scenarios: SCENARIOS,
		lacks: {
			H264: "Firefox's H.264 for WebRTC is a plugin that it downloads by itself, from a host of its own.",
			'ICE-lite': NO_LITE,
		},
		async prepare(log) {
			const command = await ensureFirefox(log);
			return () => firefox(command);
		},
	},
	{
		name: 'livekit',
		title: 'LiveKit',
		quick: false,
		scenarios: ROOM_SCENARIOS,
		lacks: {},
		async prepare(log) {
			const source = { command: `github.com/livekit/livekit-server/cmd/server@v${LIVEKIT}` };
			const server = await ensureGoProgram({ name: 'interop-livekit', source }, log);
			const launch = await nodePeer('livekit', log, 'room.ts');
			return async () => {
				const { env, ...rest } = await launch();
				return { ...rest, env: { ...env, INTEROP_SERVER: server, INTEROP_SERVER_VERSION: LIVEKIT } };
			};
		},
	},
	{
		name: 'janus',
		title: 'Janus',
		quick: false,
		scenarios: ROOM_SCENARIOS,
		lacks: {},
		async prepare(log) {
			await ensureJanus(log);
			return async () => ({ command: process.execPath, args: [join(PEERS, 'janus', 'room.ts')] });
		},
	},
];

/** What the peers of `npm test` need of the machine, as far as it can be had. */
export async function ensurePeers(log: Log): Promise<void> {
	for (const { quick, prepare } of KINDS) if (quick) await prepare(log).catch((error: Error) => log(error.message));
	await ensureCoturn(log);
}

/** A peer in TypeScript, with the packages of its folder's lock. */
async function nodePeer(name: string, log: Log, file = 'peer.ts'): Promise<() => Promise<Launch>> {
	const folder = join(PEERS, name);
	const modules = await ensureRecipe({ folder, name: `interop-${name}`, what: name }, log);
	return async () => ({
		command: process.execPath,
		args: [join(folder, file)],
		env: { INTEROP_MODULES: modules, INTEROP_MEDIA: await mediaFolder() },
	});
}
