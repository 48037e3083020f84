import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';

export interface PageFile {
	type: string;
	body: Uint8Array;
}

/** The page's files by the path that a browser asks for. */
export type Page = ReadonlyMap<string, PageFile>;

/** Bundles the page, which takes a fraction of a second; nothing is written to disk. */
export async function buildPage(): Promise<Page> {
	const folder = import.meta.dirname;
	const { outputFiles } = await build({
		entryPoints: [path.join(folder, 'main.ts')],
		bundle: true,
		write: false,
		format: 'esm',
		target: 'es2022',
		platform: 'browser',
		sourcemap: 'inline',
	});
	return new Map([
		['/', { type: 'text/html; charset=utf-8', body: await readFile(path.join(folder, 'index.html')) }],
		['/style.css', { type: 'text/css; charset=utf-8', body: await readFile(path.join(folder, 'style.css')) }],
		['/main.js', { type: 'text/javascript; charset=utf-8', body: outputFiles[0]!.contents }],
	]);
}
