/**
 * A small stand-in for wptserve: files, pages generated for *.window.js and *.any.js, `.headers` files, and the
 * substitutions of `.sub.` files. Pages load from http://localhost, a secure context; 127.0.0.1 is the other origin.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { readMeta } from './testFile.ts';

const PAGE_FOLDER = join(import.meta.dirname, '..', 'page');

const TYPES: Partial<Record<string, string>> = {
	'.html': 'text/html; charset=utf-8',
	'.js': 'text/javascript',
	'.mjs': 'text/javascript',
	'.json': 'application/json',
	'.css': 'text/css',
	'.idl': 'text/plain',
	'.txt': 'text/plain',
	'.svg': 'image/svg+xml',
	'.png': 'image/png',
	'.webm': 'video/webm',
	'.mp4': 'video/mp4',
	'.ogv': 'video/ogg',
	'.oga': 'audio/ogg',
	'.mp3': 'audio/mpeg',
	'.wav': 'audio/wav',
};

export interface TestServer {
	/** `http://localhost:41234` */
	readonly origin: string;
	close(): void;
}

/** @param root the folder of the tests */
export async function startServer(root: string): Promise<TestServer> {
	const overrides: Partial<Record<string, string>> = {
		'/resources/testharnessreport.js': join(PAGE_FOLDER, 'testharnessreport.js'),
		'/resources/testdriver-vendor.js': join(PAGE_FOLDER, 'testdriver-vendor.js'),
		'/resources/WebIDLParser.js': join(root, 'resources/webidl2/lib/webidl2.js'),
	};
	const server = createServer((request, response) => {
		const url = new URL(request.url!, `http://${request.headers.host}`);
		const path = normalize(decodeURIComponent(url.pathname));
		const file = overrides[path] ?? join(root, path);
		const headers = {
			'Cache-Control': 'no-store',
			'Content-Type': TYPES[extname(path)] ?? 'application/octet-stream',
		};
		const page = generatedPage(root, path);
		if (page !== null) {
			response.writeHead(200, headers).end(page);
		} else if (!existsSync(file) || !statSync(file).isFile()) {
			response.writeHead(404).end();
		} else {
			const body = readFileSync(file);
			response.writeHead(200, { ...headers, ...headersOf(file) });
			response.end(/\.sub\./.test(path) ? substitute(body.toString(), url) : body);
		}
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address() as AddressInfo;
	return { origin: `http://localhost:${port}`, close: () => void server.close() };
}

function generatedPage(root: string, path: string): string | null {
	if (!/\.(window|any)\.html$/.test(path)) return null;
	const source = path.slice(1).replace(/\.html$/, '.js');
	if (!existsSync(join(root, source))) return null;
	const { timeout = [], script = [] } = readMeta(root, source);
	const scripts = ['/resources/testharness.js', '/resources/testharnessreport.js', ...script];
	return [
		'<!doctype html><meta charset=utf-8>',
		...timeout.map((value) => `<meta name=timeout content=${value}>`),
		...scripts.map(scriptTag),
		'<div id=log></div>',
		scriptTag(`/${source}`),
	].join('\n');
}

function scriptTag(src: string): string {
	return `<script src="${src}"></script>`;
}

function substitute(text: string, { hostname, host, port, searchParams }: URL): string {
	return text.replace(/\{\{(.*?)\}\}/g, (whole: string, key: string) => {
		if (/^(host|domains\[|hosts\[)/.test(key)) return hostname;
		if (/^ports\[/.test(key)) return port;
		if (/^location\[(host|server)\]/.test(key)) return host;
		const parameter = /^GET\[(.*)\]$/.exec(key)?.[1];
		return parameter === undefined ? whole : (searchParams.get(parameter) ?? '');
	});
}

function headersOf(file: string): Record<string, string> {
	if (!existsSync(`${file}.headers`)) return {};
	const lines = readFileSync(`${file}.headers`, 'utf8').split('\n');
	return Object.fromEntries(
		lines
			.filter((line) => line.includes(':'))
			.map((line) => {
				const colon = line.indexOf(':');
				return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
			}),
	);
}
