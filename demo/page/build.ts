import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import { PAGE_SCRIPT } from '../../scripts/page-script.ts';

export interface PageFile {
	type: string;
	body: Uint8Array;
}

/** The page's files by the path that a browser asks for. */
export type Page = ReadonlyMap<string, PageFile>;

/** A bridge, and what it asks of who comes. */
export interface Endpoint {
	url: string;
	token: string;
}

const TYPES: Record<string, string> = {
	'.html': 'text/html; charset=utf-8',
	'.css': 'text/css; charset=utf-8',
	'.js': 'text/javascript; charset=utf-8',
};

/** Where index.html takes the shim's script. */
const PLACE = '<!-- shim -->';

/** Bundles the page and the shim's script for it, which takes a fraction of a second; nothing is written to disk. */
export async function buildPage(): Promise<Page> {
	const folder = import.meta.dirname;
	const file = (name: string) => path.join(folder, name);
	const bundles = await Promise.all([
		bundle({ entryPoints: [file('main.ts')], format: 'esm', target: 'es2022', sourcemap: 'inline' }),
		bundle({ entryPoints: [file('style.css')], target: 'es2022' }),
		bundle(PAGE_SCRIPT),
	]);
	return new Map([['/', page('index.html', await readFile(file('index.html')))], ...bundles.flat()]);
}

/** The page with the shim in place of the browser's WebRTC, as anyone would write it. */
export function throughBridge({ type, body }: PageFile, { url, token }: Endpoint): PageFile {
	const attributes = `data-url="${quote(url)}" data-token="${quote(token)}" data-force`;
	const script = `<script src="/aiortc-shim.global.js" ${attributes}></script>`;
	const html = new TextDecoder().decode(body).replace(PLACE, () => script);
	return { type, body: new TextEncoder().encode(html) };
}

async function bundle(options: BuildOptions): Promise<[string, PageFile][]> {
	const { outputFiles } = await build({ ...options, bundle: true, write: false, platform: 'browser', outdir: '/' });
	return outputFiles!.map(({ path: where, contents }) => {
		const name = path.basename(where);
		return [`/${name}`, page(name, contents)];
	});
}

function page(name: string, body: Uint8Array): PageFile {
	return { type: TYPES[path.extname(name)]!, body };
}

function quote(text: string): string {
	return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
