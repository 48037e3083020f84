/** How the programs of other projects' peers find their packages: BENCH_MODULES is the folder that has them. */
import { createRequire } from 'node:module';
import { join } from 'node:path';

export const modules = process.env.BENCH_MODULES!;
export const load = createRequire(join(modules, 'peers.cjs'));
