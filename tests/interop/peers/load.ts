/** How a peer in TypeScript finds its library: INTEROP_MODULES is the folder that has it. */
import { createRequire } from 'node:module';
import { join } from 'node:path';

export const load = createRequire(join(process.env.INTEROP_MODULES!, 'peer.cjs'));

export function versionOf(name: string): string {
	return load(join(process.env.INTEROP_MODULES!, name, 'package.json')).version;
}
