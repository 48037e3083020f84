/** What peers without codecs send and received, encoded and decoded by media.py. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ensurePython } from '../../../bridge/python.ts';
import { run } from '../../../scripts/subprocess.ts';
import type { Heard, Report, Seen } from '../driver/protocol.ts';

const PROGRAM = join(import.meta.dirname, 'media.py');

let folder: Promise<string> | undefined;
let decoder: Promise<{ child: ChildProcess; waiting: ((line: string) => void)[] }> | undefined;

/** A temporary folder with `vp8.rec`, `h264.rec` and `opus.rec`, into which peers record. */
export function mediaFolder(): Promise<string> {
	folder ??= makeFolder();
	return folder;
}

async function makeFolder(): Promise<string> {
	const made = await mkdtemp(join(tmpdir(), 'aiortc-shim-interop-media-'));
	await run(await ensurePython(), [PROGRAM, 'samples', made]);
	return made;
}

/** The report, with what its recordings decode to. */
export async function decodeRecordings(report: Report): Promise<Report> {
	const { audio, video, codec } = report.recordings ?? {};
	if (audio && existsSync(audio)) report.heard = (await decode(audio, 'opus')) as Heard;
	if (video && codec && existsSync(video)) report.seen = (await decode(video, codec)) as Seen;
	return report;
}

async function decode(path: string, codec: string): Promise<unknown> {
	decoder ??= startDecoder();
	const { child, waiting } = await decoder;
	const line = new Promise<string>((resolve) => waiting.push(resolve));
	child.stdin!.write(`${JSON.stringify({ path, codec })}\n`);
	return JSON.parse(await line);
}

async function startDecoder() {
	const child = spawn(await ensurePython(), [PROGRAM, 'decode'], { stdio: ['pipe', 'pipe', 'inherit'] });
	const waiting: ((line: string) => void)[] = [];
	createInterface({ input: child.stdout! }).on('line', (line) => waiting.shift()?.(line));
	return { child, waiting };
}

/** Ends the decoder and removes the recordings. */
export async function closeMedia(): Promise<void> {
	if (decoder) (await decoder).child.stdin!.end();
	decoder = undefined;
	if (folder) await rm(await folder, { recursive: true, force: true });
	folder = undefined;
}
