import { join } from 'node:path';
import type { BuildOptions } from 'esbuild';

/** For pages: a class's name is its tag, too, and esbuild would call some `_RTCPeerConnection`. */
export const PAGES = { bundle: true, keepNames: true, logLevel: 'warning', target: 'es2022' } as const;

/** How the one script for pages is made, `aiortc-shim.global.js`; where it goes is the caller's to say. */
export const PAGE_SCRIPT = {
	...PAGES,
	entryPoints: { 'aiortc-shim.global': join(import.meta.dirname, '..', 'entries', 'page.ts') },
	minify: true,
	format: 'iife',
	legalComments: 'none',
} as const satisfies BuildOptions;
