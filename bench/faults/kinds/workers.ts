/** What happens to a worker process. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import type { Culprit } from '../Culprit.ts';
import { expect, type Fault, failure, type Outcome, seconds, within } from '../fault.ts';
import type { Scene } from '../Scene.ts';

/** Five seconds of silence, a second for the next question, and time for a machine that is busy. */
const NOTICED_MS = 20_000;
/** Address space that a worker is left with, beyond what it has. */
const HEADROOM_BYTES = 256 << 20;
/** Slow, so that memory is short before time is. */
const PICTURE = { width: 3840, height: 2160, frameRate: 2 };

export const workers: Fault[] = [
	{
		name: 'worker stopped',
		expected: 'killed as hanging, 4006, next session works',
		where: 'apart',
		inject: (scene) => die(scene, 'SIGSTOP', /the worker hung/),
	},
	{
		name: 'worker loops',
		expected: 'killed as hanging, 4006, next session works',
		where: 'apart',
		// The handler of python/sitecustomize.py.
		inject: (scene) => die(scene, 'SIGUSR1', /the worker hung/),
	},
	{
		name: 'worker killed',
		expected: '4006 at once, next session works',
		where: 'apart',
		inject: (scene) => die(scene, 'SIGKILL', /the worker died/),
	},
	{
		name: 'worker out of memory',
		expected: 'errors or 4006, next session works',
		where: 'apart',
		inject: starve,
	},
	{
		name: 'disk full',
		expected: 'no new worker while it is full, with a reason; then one',
		where: 'apart',
		scene: { disk: true },
		inject: fillDisk,
	},
];

async function die(scene: Scene, signal: NodeJS.Signals, reason: RegExp): Promise<Outcome> {
	const culprit = await scene.culprit();
	const worker = scene.bridge.workerOf(culprit.port);
	const start = performance.now();
	process.kill(worker, signal);
	const end = await culprit.end(NOTICED_MS);
	const noticed = performance.now() - start;
	expect(reason.test(end), `the reason is: ${end}`);
	expect(await within(2_000, () => !existsSync(`/proc/${worker}`)), `worker ${worker} is still there`);
	const recovered = await culprit.recover();
	return { seen: `noticed ${seconds(noticed)}, again ${seconds(recovered)}`, end: culprit.events.join(', ') };
}

/** Takes the worker's memory away, and asks for much of it. */
async function starve(scene: Scene): Promise<Outcome> {
	const culprit = await scene.culprit();
	const worker = scene.bridge.workerOf(culprit.port);
	const [, kilobytes] = /^VmSize:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${worker}/status`, 'utf8')) ?? [];
	const bytes = Number(kilobytes) * 1024 + HEADROOM_BYTES;
	execFileSync('prlimit', ['--pid', `${worker}`, `--as=${bytes}:${bytes}`]);
	const errors = await watchMany(culprit);
	const isLost = culprit.events.some((event) => event.includes('4006'));
	expect(isLost || errors.length > 0, 'it had memory for everything');
	const recovered = await culprit.recover();
	const seen = isLost ? 'the worker died' : `${errors.length} errors, the worker lives`;
	return { seen: `${seen}; again ${seconds(recovered)}`, end: culprit.events.join(', ') || errors[0]! };
}

/** Reads large pictures of many sources until memory is short, and stops them; the errors that its program saw. */
async function watchMany({ shim, events }: Culprit): Promise<string[]> {
	const errors: string[] = [];
	const tracks: MediaStreamTrack[] = [];
	const note = (error: Error | null) => error && errors.push(`${error.name}: ${error.message}`);
	for (let opened = 0; opened < 24 && events.length === 0 && errors.length < 3; opened++) {
		const media = shim.mediaDevices.getUserMedia({ video: PICTURE });
		note(await failure(media, 10_000));
		const [track] = await media.then((stream) => stream.getVideoTracks()).catch(() => []);
		if (!track) continue;
		tracks.push(track);
		track.addEventListener('ended', () => errors.push('a track ended'));
		const reader = new shim.MediaStreamTrackProcessor({ track: track as never }).readable.getReader();
		const frame = reader.read().then(({ value }) => value?.close());
		note(await failure(frame, 10_000));
	}
	for (const track of tracks) track.stop();
	return errors;
}

async function fillDisk(scene: Scene): Promise<Outcome> {
	const culprit = await scene.culprit();
	scene.bridge.full(true);
	let refused: Error | null = null;
	// A session of the token has a worker of its own while there may be more; the spare was started before.
	for (let sessions = 0; sessions < 3 && !refused; sessions++) refused = await failure(scene.culprit(), 30_000);
	expect(refused, 'workers were started on a full disk');
	scene.bridge.full(false);
	const recovered = await (await scene.culprit()).recover();
	return {
		seen: `while full: ${refused.message.split('\n')[0]}; again ${seconds(recovered)}`,
		end: culprit.events.join(', '),
	};
}
