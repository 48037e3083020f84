import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const SCRIPT_TEST = /\.(window|any)\.js$/;

/** One page to load: a test file, or one of its variants. */
export interface TestFile {
	/** Below the root of the tests, with the variant. */
	readonly path: string;
	/** Of the page, from the server's root. */
	readonly url: string;
	/** It says that it needs more time than others. */
	readonly long: boolean;
}

/** The pages of a test file: one, or one a variant. */
export function expandTest(root: string, path: string): TestFile[] {
	const meta = readMeta(root, path);
	const page = path.replace(/\.js$/, '.html');
	const long = meta.timeout?.includes('long') ?? false;
	return (meta.variant ?? ['']).map((variant) => ({ path: path + variant, url: `/${page}${variant}`, long }));
}

/** The file of a path that may have a variant. */
export function sourceOf(path: string): string {
	return path.replace(/\?.*/, '');
}

/** Metadata by key: `// META: key=value` in scripts, `<meta name=key content=value>` in pages. */
export function readMeta(root: string, path: string): Partial<Record<string, string[]>> {
	const text = readFileSync(join(root, path), 'utf8');
	const found = SCRIPT_TEST.test(path)
		? [...text.matchAll(/^\/\/ META: (\w+)=(.*)$/gm)].map(([, key, value]) => [key!, value!.trim()] as const)
		: [...text.matchAll(/<meta\s[^>]*>/gi)].map(
				([tag]) => [attribute(tag, 'name'), attribute(tag, 'content')] as const,
			);
	const meta: Partial<Record<string, string[]>> = {};
	for (const [key, value] of found) {
		if (!key || value === undefined) continue;
		meta[key] ??= [];
		meta[key].push(value);
	}
	return meta;
}

function attribute(tag: string, name: string): string | undefined {
	const match = new RegExp(`\\b${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s>]+))`, 'i').exec(tag);
	return match?.[1] ?? match?.[2] ?? match?.[3];
}
