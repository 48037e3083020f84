/** Browsers as peers: each opens a page of this process's, which speaks to the driver by WebSocket. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { type WebSocket, WebSocketServer } from 'ws';
import { CHROMIUM_ARGS } from '../../e2e/browser.ts';
import type { Launch, LineChannel } from './Peer.ts';
import { TONES } from './protocol.ts';

const PAGE = join(import.meta.dirname, '..', 'peers', 'browser', 'page.ts');

/** Firefox asks nobody, plays by itself, has a microphone with a tone, and gathers the loopback interface's candidates with their addresses. */
const FIREFOX_PREFERENCES = {
	'app.update.enabled': false,
	'browser.shell.checkDefaultBrowser': false,
	'datareporting.policy.dataSubmissionEnabled': false,
	'media.autoplay.default': 0,
	'media.autoplay.blocking_policy': 0,
	'media.navigator.audio.fake_frequency': TONES.peer,
	'media.navigator.permission.disabled': true,
	'media.navigator.streams.fake': true,
	'media.gmp-manager.url': 'data:,',
	'media.peerconnection.ice.loopback': true,
	'media.peerconnection.ice.obfuscate_host_addresses': false,
	'toolkit.telemetry.enabled': false,
};

export async function chromium(command: string): Promise<Launch> {
	return launch(command, (url, profile) => [
		...CHROMIUM_ARGS,
		'--headless=new',
		'--disable-features=WebRtcHideLocalIpsWithMdns',
		`--user-data-dir=${profile}`,
		url,
	]);
}

export async function firefox(command: string): Promise<Launch> {
	return launch(
		command,
		(url, profile) => ['--headless', '--no-remote', '--profile', profile, url],
		async (profile) => {
			const preferences = Object.entries(FIREFOX_PREFERENCES);
			const lines = preferences.map(
				([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`,
			);
			await writeFile(join(profile, 'user.js'), lines.join(''));
		},
	);
}

async function launch(
	command: string,
	args: (url: string, profile: string) => string[],
	prepare: (profile: string) => Promise<void> = async () => {},
): Promise<Launch> {
	const profile = await mkdtemp(join(tmpdir(), 'aiortc-shim-interop-'));
	await prepare(profile);
	const { outputFiles } = await build({ entryPoints: [PAGE], bundle: true, write: false, format: 'iife' });
	const page = `<!doctype html><meta charset="utf-8"><body></body><script>${outputFiles[0]!.text}</script>`;
	const server = createServer((_request, response) => {
		response.setHeader('content-type', 'text/html').end(page);
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const sockets = new WebSocketServer({ server });
	return {
		command,
		// Only localhost is a secure context, which digests need.
		args: args(`http://localhost:${(server.address() as AddressInfo).port}/`, profile),
		env: { HOME: profile },
		channel: lineChannel(sockets),
		async cleanup() {
			for (const socket of sockets.clients) socket.terminate();
			sockets.close();
			server.close();
			server.closeAllConnections();
			await rm(profile, { recursive: true, force: true, maxRetries: 5 });
		},
	};
}

/** The lines of the page that connects. */
function lineChannel(sockets: WebSocketServer): LineChannel {
	let page: WebSocket | undefined;
	const channel: LineChannel = { send: (line) => page?.send(line), onLine: () => {} };
	sockets.on('connection', (socket) => {
		page = socket;
		socket.on('message', (data) => channel.onLine(String(data)));
	});
	return channel;
}
