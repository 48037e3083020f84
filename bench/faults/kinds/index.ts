import type { Fault } from '../fault.ts';
import { bridges } from './bridges.ts';
import { hundred } from './hundred.ts';
import { paths } from './paths.ts';
import { peers } from './peers.ts';
import { sessions } from './sessions.ts';
import { strangers } from './strangers.ts';
import { workers } from './workers.ts';

/** Every fault; `size` is that of those which do all at once. */
export function allFaults(size: { honest: number; seconds: number }): Fault[] {
	return [...workers, ...paths, ...sessions, ...strangers, ...peers, ...bridges, ...hundred(size)];
}
