import { readdir } from 'node:fs/promises';
import { run, succeeds, which } from './subprocess.ts';

export interface SystemPackages {
	/** What needs them, as the subject of a sentence: "mediasoup's worker". */
	purpose: string;
	/** Names of Debian packages. */
	packages: readonly string[];
	/** Says what the machine lacks, in a few words, or null when nothing. */
	missing: () => Promise<string | null>;
}

/**
 * Makes sure of packages of the operating system: installs them where this is root on Debian, else asks for them.
 *
 * @throws an Error whose message is one sentence and one line to copy
 */
export async function ensureSystemPackages(request: SystemPackages, log: (line: string) => void): Promise<void> {
	const lacking = await request.missing();
	if (lacking === null) return;
	const names = request.packages.join(' ');
	if (!(await which('apt-get'))) {
		throw new Error(`${request.purpose} needs ${lacking}; on Debian these packages have it: ${names}`);
	}
	if (process.getuid?.() !== 0) {
		throw new Error(`${request.purpose} needs ${lacking}. Run: sudo apt-get install -y ${names}`);
	}
	log(`installing packages for ${request.purpose}: ${names}`);
	await install(request.packages);
	const still = await request.missing();
	if (still !== null) throw new Error(`${request.purpose} needs ${still}, which installing ${names} did not bring`);
}

/** A TURN server, `turnserver` on PATH. */
export async function ensureCoturn(log: (line: string) => void = console.error): Promise<void> {
	const missing = async () => ((await which('turnserver')) ? null : 'turnserver');
	await ensureSystemPackages({ purpose: 'a test of relaying', packages: ['coturn'], missing }, log);
}

/** A Janus server, `janus` on PATH. */
export async function ensureJanus(log: (line: string) => void = console.error): Promise<void> {
	const missing = async () => ((await which('janus')) ? null : 'janus');
	await ensureSystemPackages({ purpose: 'a test with Janus', packages: ['janus'], missing }, log);
}

/** The Python that Debian's packages of bindings are for, whatever is first on PATH. */
export const SYSTEM_PYTHON = '/usr/bin/python3';

/** GStreamer's WebRTC with the codecs that browsers have, and its bindings for the system's Python. */
export async function ensureGStreamer(log: (line: string) => void = console.error): Promise<void> {
	const probe = [
		"import gi; gi.require_version('GstWebRTC', '1.0'); gi.require_version('Gst', '1.0')",
		'from gi.repository import Gst, GstWebRTC; Gst.init(None)',
		"assert all(Gst.ElementFactory.find(name) for name in ('webrtcbin', 'nicesrc', 'vp8enc', 'x264enc', 'opusenc', 'avdec_h264'))",
	].join('; ');
	const plugins = ['good', 'bad', 'ugly'].map((name) => `gstreamer1.0-plugins-${name}`);
	await ensureSystemPackages(
		{
			purpose: 'a GStreamer peer',
			packages: [...plugins, 'gstreamer1.0-nice', 'gstreamer1.0-libav', 'python3-gi', 'gir1.2-gst-plugins-bad-1.0'],
			missing: async () => ((await succeeds(SYSTEM_PYTHON, ['-c', probe])) ? null : "GStreamer's webrtcbin"),
		},
		log,
	);
}

/** The path of a Chromium: CHROMIUM_BIN, else one on PATH, else Debian's package. */
export async function ensureChromium(log: (line: string) => void = console.error): Promise<string> {
	if (process.env.CHROMIUM_BIN) return process.env.CHROMIUM_BIN;
	await ensureSystemPackages(
		{
			purpose: 'a test in a browser',
			packages: ['chromium', 'fonts-liberation'],
			missing: async () => ((await findChromium()) ? null : 'chromium'),
		},
		log,
	);
	return (await findChromium())!;
}

/** The path of a Firefox: FIREFOX_BIN, else Debian's package. */
export async function ensureFirefox(log: (line: string) => void = console.error): Promise<string> {
	if (process.env.FIREFOX_BIN) return process.env.FIREFOX_BIN;
	const find = async () => (await which('firefox-esr')) ?? (await which('firefox'));
	const missing = async () => ((await find()) ? null : 'firefox-esr');
	await ensureSystemPackages({ purpose: 'a test in Firefox', packages: ['firefox-esr'], missing }, log);
	return (await find())!;
}

async function findChromium(): Promise<string | null> {
	for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
		const file = await which(name);
		if (file) return file;
	}
	return null;
}

/** The package lists are fetched where there are none, or when what they name is not to be had any more. */
async function install(packages: readonly string[]): Promise<void> {
	if (!(await hasPackageLists())) await aptGet('update');
	const args = ['install', '-y', '--no-install-recommends', ...packages];
	try {
		await aptGet(...args);
	} catch {
		await aptGet('update');
		await aptGet(...args);
	}
}

async function hasPackageLists(): Promise<boolean> {
	const entries = await readdir('/var/lib/apt/lists').catch(() => []);
	return entries.some((entry) => entry.endsWith('_Packages') || entry.endsWith('_Packages.lz4'));
}

function aptGet(...args: string[]): Promise<void> {
	// Another apt-get at work is waited for: a second test may be installing the same.
	return run('apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=300', ...args], {
		env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
	});
}

if (import.meta.main) console.log(await ensureChromium());
