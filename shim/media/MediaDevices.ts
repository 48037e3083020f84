import type { Context } from '../rpc/context.ts';
import type { Session } from '../rpc/Session.ts';
import type { CallOut, ObjectIn } from '../rpc/types.ts';
import * as idl from '../webidl/convert.ts';
import { defineEventHandlers, eventTargetOf } from '../webidl/eventHandlers.ts';
import { constructorKey, defineInterface, requireKey } from '../webidl/interface.ts';
import { parseConstraints, type SourceRequest } from './constraints.ts';
import { LocalSource } from './LocalSource.ts';
import { InputDeviceInfo, testDevices } from './MediaDeviceInfo.ts';
import { MediaStream } from './MediaStream.ts';
import { type Kind, MediaStreamTrack } from './MediaStreamTrack.ts';
import { OverconstrainedError } from './OverconstrainedError.ts';
import { overconstrained, supportedConstraints } from './settings.ts';

/**
 * `navigator.mediaDevices`: the worker's sources.
 * @see https://www.w3.org/TR/mediacapture-streams/#mediadevices
 */
export class MediaDevices extends eventTargetOf<MediaDevicesEventMap>() {
	declare ondevicechange: ((this: globalThis.MediaDevices, event: Event) => unknown) | null;

	readonly #context: Context;
	readonly #supported: MediaTrackSupportedConstraints = supportedConstraints;
	readonly #devices = [testDevices.audio, testDevices.video];

	constructor(key: unknown = undefined, context?: Context) {
		requireKey(key);
		super();
		this.#context = context!;
	}

	/** The test camera and microphone, which are always there. */
	async enumerateDevices(): Promise<InputDeviceInfo[]> {
		return this.#devices.map((device) => new InputDeviceInfo(constructorKey, device));
	}

	getSupportedConstraints(): MediaTrackSupportedConstraints {
		return { ...this.#supported };
	}

	/**
	 * Opens a source for each kind that is asked for; both kinds of one file or url share one, in lip-sync.
	 *
	 * @param constraints a test picture and tone unless they say otherwise; constraints.ts has what they may say
	 * @throws {TypeError} neither audio nor video is asked for, or a constraint has the wrong type
	 * @throws {NotFoundError} the file or device does not exist, or has nothing of that kind
	 * @throws {NotReadableError} it cannot be read or decoded
	 * @throws {NotAllowedError} the session's token lacks the capability
	 * @throws {OverconstrainedError} a required constraint is not met
	 * @see https://www.w3.org/TR/mediacapture-streams/#dom-mediadevices-getusermedia
	 */
	async getUserMedia(constraints: MediaStreamConstraints = {}): Promise<MediaStream> {
		const requests = parse(constraints);
		if (requests.length === 0) throw new TypeError('getUserMedia: neither audio nor video is asked for');
		const session = this.#context.session();
		const opened = await settleAll(share(requests).map((group) => open(session, group)));
		return new MediaStream(opened.flat());
	}
}

/** The MediaDevices of a shim. */
export function createMediaDevices(context: Context): MediaDevices {
	return new MediaDevices(constructorKey, context);
}

const kinds: readonly Kind[] = ['audio', 'video'];

function parse(constraints: MediaStreamConstraints): SourceRequest[] {
	return kinds.flatMap((kind) => {
		const given: unknown = constraints[kind];
		if (!given) return [];
		return parseConstraints(kind, idl.isObject(given) ? given : {});
	});
}

/** Requests by the source that can serve them. */
function share(requests: SourceRequest[]): SourceRequest[][] {
	const [first, second] = requests;
	if (!first || !second) return [requests];
	const same = first.type === second.type && first.source === second.source && first.loop === second.loop;
	return same && first.type !== 'device' ? [requests] : requests.map((request) => [request]);
}

/** All results, or the first error once every attempt has ended, with the tracks of the others stopped. */
async function settleAll(attempts: Promise<MediaStreamTrack[]>[]): Promise<MediaStreamTrack[][]> {
	const results = await Promise.allSettled(attempts);
	const failed = results.find((result) => result.status === 'rejected');
	const opened = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
	if (!failed) return opened;
	for (const track of opened.flat()) track.stop();
	throw failed.reason;
}

async function open(session: Session, requests: SourceRequest[]): Promise<MediaStreamTrack[]> {
	const source = new LocalSource(describe(requests));
	try {
		const opened = await source.open(session);
		return requests.map((request) => createTrack(source, request, opened)).map((make) => make());
	} catch (error) {
		source.close();
		throw toOverconstrained(error);
	}
}

function describe(requests: SourceRequest[]): ObjectIn<'MediaSource'> {
	const { type, source, loop } = requests[0]!;
	return { type, source, loop, ...Object.fromEntries(requests.map(({ kind, shape }) => [kind, shape])) };
}

/** Checks that what was opened is what was asked for; the track is made when all of the source's are known to be. */
function createTrack(
	source: LocalSource,
	{ kind, type, source: name, loop, constraints }: SourceRequest,
	opened: CallOut<'MediaSource', 'open'>,
): () => MediaStreamTrack {
	const device = testDevices[kind];
	const identity = type === 'test' ? { deviceId: device.deviceId, groupId: device.groupId } : { source: name, loop };
	const settings = { ...opened[kind], ...identity, ...unprocessed(kind, opened), sourceType: type };
	const error = overconstrained(constraints, settings);
	if (error) throw error;
	const label = type === 'test' ? device.label : (name ?? `Default ${kind} device`);
	return () => new MediaStreamTrack(constructorKey, { kind, source, label, settings, constraints });
}

/** Those that lib.dom does not know. */
type Settings = MediaTrackSettings & { latency?: number; resizeMode?: 'none'; voiceIsolation?: boolean };

/** Settings of what is sent as it is: s16 in frames of 20 ms, pictures of the source's size. */
function unprocessed(kind: Kind, { video }: CallOut<'MediaSource', 'open'>): Settings {
	if (kind === 'video') return { aspectRatio: video ? video.width / video.height : undefined, resizeMode: 'none' };
	const off = { echoCancellation: false, autoGainControl: false, noiseSuppression: false, voiceIsolation: false };
	return { ...off, sampleSize: 16, latency: 0.02 };
}

function toOverconstrained(error: unknown): unknown {
	if (!(error instanceof DOMException) || error.name !== 'OverconstrainedError') return error;
	return error instanceof OverconstrainedError ? error : new OverconstrainedError('', error.message);
}

defineInterface(MediaDevices);
defineEventHandlers(MediaDevices, ['devicechange']);
