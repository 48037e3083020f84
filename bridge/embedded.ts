/** The bridge that lives in the application's own process. */

import type { Bridge } from './server.ts';

/** The process's one embedded bridge, started at the first call; holds nothing alive. */
export function startEmbedded(): Promise<Bridge> {
	throw new Error('not yet');
}
