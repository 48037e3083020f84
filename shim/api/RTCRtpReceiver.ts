import { type CodecCapability, getCapabilities, type HeaderExtensionCapability } from '../jsep/index.ts';
import type { MediaStreamTrack } from '../media/index.ts';
import { domString, double, nullable } from '../webidl/convert.ts';
import { defineInterface, requireArguments, requireKey } from '../webidl/interface.ts';
import type { RTCDtlsTransport } from './RTCDtlsTransport.ts';
import type { RTCStatsReport } from './RTCStatsReport.ts';
import type { Receiver, Source } from './receiver.ts';
import { toCodecParameters } from './sender.ts';
import { collectStats } from './stats/collect.ts';

/** Milliseconds for which a source is remembered. */
const MEMORY = 10_000;
const MAX_JITTER_BUFFER = 4_000;

const toTarget = nullable(double);

export let receiverOf: (object: RTCRtpReceiver) => Receiver;

/**
 * What receives a track.
 * @see https://www.w3.org/TR/webrtc/#rtcrtpreceiver-interface
 */
export class RTCRtpReceiver {
	/** A type only, for lib.dom.d.ts: encoded frames stay in the worker. */
	declare readonly transform: null;

	readonly #receiver: Receiver;

	constructor(key: unknown = undefined, receiver?: Receiver) {
		requireKey(key);
		this.#receiver = receiver!;
	}

	/** What can be received; null for a kind that is neither audio nor video. */
	static getCapabilities(
		kind: string,
	): { codecs: CodecCapability[]; headerExtensions: HeaderExtensionCapability[] } | null {
		requireArguments(arguments.length, 1, 'getCapabilities');
		return getCapabilities(domString(kind, 'kind'));
	}

	get track(): MediaStreamTrack {
		return this.#receiver.track;
	}

	get transport(): RTCDtlsTransport | null {
		return this.#receiver.transport?.dtls.object ?? null;
	}

	/** Milliseconds of buffering that the application wishes for; null leaves it to the worker. */
	get jitterBufferTarget(): DOMHighResTimeStamp | null {
		return this.#receiver.jitterBufferTarget;
	}

	/** @throws {RangeError} it is negative or above 4000 */
	set jitterBufferTarget(value: DOMHighResTimeStamp | null) {
		const target = toTarget(value, 'jitterBufferTarget');
		if (target !== null && (target < 0 || target > MAX_JITTER_BUFFER)) {
			throw new RangeError(`jitterBufferTarget is ${target}; 0 to ${MAX_JITTER_BUFFER}`);
		}
		this.#receiver.jitterBufferTarget = target;
	}

	/** @see https://www.w3.org/TR/webrtc/#dom-rtcrtpreceiver-getparameters */
	getParameters(): RTCRtpReceiveParameters {
		const { codecs, negotiated } = this.#receiver;
		return {
			headerExtensions: (negotiated?.headerExtensions ?? []).map((each) => ({ ...each, encrypted: false })),
			codecs: codecs.map(toCodecParameters),
			rtcp: { reducedSize: negotiated?.reducedSize ?? false },
		};
	}

	/** Who contributed to what was mixed into the stream in the last 10 s, the newest first. */
	getContributingSources(): RTCRtpContributingSource[] {
		return recent(this.#receiver.sources.contributing);
	}

	/** Who sent in the last 10 s, the newest first. */
	getSynchronizationSources(): RTCRtpSynchronizationSource[] {
		return recent(this.#receiver.sources.synchronization);
	}

	/** @see https://www.w3.org/TR/webrtc/#dom-rtcrtpreceiver-getstats */
	async getStats(): Promise<RTCStatsReport> {
		return collectStats(this.#receiver.connection, this.#receiver);
	}

	static {
		receiverOf = (object) => object.#receiver;
	}
}

function recent(sources: readonly Source[]): RTCRtpContributingSource[] {
	const oldest = performance.timeOrigin + performance.now() - MEMORY;
	return sources
		.filter(({ timestamp }) => timestamp >= oldest)
		.sort((a, b) => b.timestamp - a.timestamp)
		.map(({ audioLevel, ...source }) => (audioLevel == null ? source : { ...source, audioLevel }));
}

defineInterface(RTCRtpReceiver);
