import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isCore, readBaselines } from './baselines.ts';
import { sourceOf } from './testFile.ts';

export interface Selection {
	/** Only the files whose path has one of these in it. */
	readonly words?: readonly string[];
	/** Only those that count for the bar. */
	readonly core?: boolean;
	/** Only one part of several equal ones, by the hash of the path: `1/3`. */
	readonly shard?: string;
}

/** The files of files.txt that are selected. */
export function listFiles({ words = [], core = false, shard = '1/1' }: Selection = {}): string[] {
	const lines = readFileSync(join(import.meta.dirname, '..', 'files.txt'), 'utf8').split('\n');
	const coreFiles = new Set(
		readBaselines()
			.filter(isCore)
			.map(({ path }) => sourceOf(path)),
	);
	return lines.filter(
		(path) =>
			path !== '' &&
			(!core || coreFiles.has(path)) &&
			(words.length === 0 || words.some((word) => path.includes(word))) &&
			inShard(path, shard),
	);
}

function inShard(path: string, shard: string): boolean {
	const [index, count] = shard.split('/').map(Number);
	if (!index || !count || index > count) throw new Error(`--shard is ${shard}; it wants 1/3, 2/3 or 3/3, for example`);
	return createHash('sha256').update(path).digest().readUInt32BE() % count === index - 1;
}
