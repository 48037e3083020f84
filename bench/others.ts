/** The peers of other projects, as their users have them: `peers/others` pins them, and the first run fetches them. */
import { join } from 'node:path';
import { ensureRecipe } from '../scripts/recipe.ts';
import { run } from '../scripts/subprocess.ts';
import { KINDS } from '../tests/interop/driver/kinds.ts';
import type { PeerKind } from './peer.ts';

/** Of npm, pinned in `peers/others`. */
export const OF_NPM = ['mediasoup-client-aiortc', 'werift', 'node-datachannel'];
/** Programs of `tests/interop`, which fetches and builds them; they connect and do floods, and nothing else. */
export const OF_INTEROP = ['pion', 'wrtc'];
/** Who takes part in floods. */
export const FLOODING = ['aiortc-shim', 'aiortc', ...OF_NPM, ...OF_INTEROP];

/** @throws an Error that says what could not be had */
export async function otherPeers(python: string): Promise<PeerKind[]> {
	const env = { ...process.env, PYTHON: python };
	const modules = await ensureRecipe({
		folder: join(import.meta.dirname, 'peers/others'),
		name: 'bench-peers',
		what: 'mediasoup-client-aiortc, werift and node-datachannel',
		async finish(folder) {
			// Its own install script, which brings the aiortc that it pins.
			const cwd = join(folder, 'node_modules/mediasoup-client-aiortc');
			await run(process.execPath, ['npm-scripts.mjs', 'postinstall'], { cwd, env });
		},
	});
	const peer = (name: string, file: string, share: number): PeerKind => ({
		name,
		command: process.execPath,
		args: [join(import.meta.dirname, 'peers', file)],
		env: { BENCH_MODULES: modules, PYTHON: python },
		share,
	});
	return [
		peer('mediasoup-client-aiortc', 'mediasoup_client_aiortc.ts', 0.25),
		peer('werift', 'werift.ts', 0.1),
		peer('node-datachannel', 'node_datachannel.ts', 1),
	];
}

/** @throws an Error that says what could not be had */
export async function interopPeer(name: string): Promise<PeerKind> {
	const launch = await KINDS.find((kind) => kind.name === name)!.prepare(console.error);
	return {
		name,
		command: process.execPath,
		args: [join(import.meta.dirname, 'peers/interop.ts')],
		env: { BENCH_LAUNCH: JSON.stringify(await launch()) },
	};
}
