import { type CodecCapability, getCapabilities, type HeaderExtensionCapability } from '../jsep/index.ts';
import { MediaStream, MediaStreamTrack } from '../media/index.ts';
import { dictionary, domString, instanceOf, nullable } from '../webidl/convert.ts';
import { defineInterface, requireArguments, requireKey } from '../webidl/interface.ts';
import { invalidState } from './errors.ts';
import { updateNegotiationNeeded } from './negotiationNeeded.ts';
import type { RTCDTMFSender } from './RTCDTMFSender.ts';
import type { RTCDtlsTransport } from './RTCDtlsTransport.ts';
import type { RTCStatsReport } from './RTCStatsReport.ts';
import { type SendParameters, toSendParameters, validateParameters } from './rtpParameters.ts';
import type { Sender } from './sender.ts';
import { collectStats } from './stats/collect.ts';

const toTrack = nullable(instanceOf(MediaStreamTrack));
const toStream = instanceOf(MediaStream);
const toOptions = dictionary({});

export let senderOf: (object: RTCRtpSender) => Sender;

/**
 * What sends a track.
 * @see https://www.w3.org/TR/webrtc/#rtcrtpsender-interface
 */
export class RTCRtpSender {
	/** A type only, for lib.dom.d.ts: encoded frames stay in the worker. */
	declare readonly transform: null;

	readonly #sender: Sender;

	constructor(key: unknown = undefined, sender?: Sender) {
		requireKey(key);
		this.#sender = sender!;
	}

	/** What can be sent; null for a kind that is neither audio nor video. */
	static getCapabilities(
		kind: string,
	): { codecs: CodecCapability[]; headerExtensions: HeaderExtensionCapability[] } | null {
		requireArguments(arguments.length, 1, 'getCapabilities');
		return getCapabilities(domString(kind, 'kind'));
	}

	get track(): MediaStreamTrack | null {
		return this.#sender.track;
	}

	get transport(): RTCDtlsTransport | null {
		return this.#sender.transport?.dtls.object ?? null;
	}

	/** Sends the tones of a telephone's keys; null for video. */
	get dtmf(): RTCDTMFSender | null {
		return this.#sender.dtmf?.object ?? null;
	}

	/**
	 * Changes bitrates, scale, frame rate, codec or activity of the encodings.
	 *
	 * @param parameters what getParameters() gave in this task, with its encodings changed
	 * @throws {InvalidStateError} the transceiver is stopped, or getParameters() was not called before
	 * @throws {InvalidModificationError} something that may not change has changed
	 * @throws {RangeError} a scale below 1 or a negative frame rate
	 * @see https://www.w3.org/TR/webrtc/#dom-rtcrtpsender-setparameters
	 */
	async setParameters(parameters: RTCRtpSendParameters, setParameterOptions: object = {}): Promise<void> {
		requireArguments(arguments.length, 1, 'setParameters');
		const given = toSendParameters(parameters, 'parameters');
		toOptions(setParameterOptions, 'setParameterOptions');
		const sender = this.#sender;
		// 4. – 5.
		if (sender.transceiver.stopping) throw invalidState('The transceiver is stopped');
		if (!sender.lastReturned) throw invalidState('Call getParameters() in the same task first');
		// 6.
		const encodings = validateParameters(sender.kind, given, sender.lastReturned);
		// 7. – 9.
		await sender.connection.settingParameters(() => sender.replaceEncodings(encodings));
	}

	/** @see https://www.w3.org/TR/webrtc/#dom-rtcrtpsender-getparameters */
	getParameters(): SendParameters {
		return this.#sender.getParameters();
	}

	/**
	 * Sends another track of the kind in place of the one before, or none.
	 *
	 * @throws {TypeError} the track is of another kind
	 * @throws {InvalidStateError} the transceiver is stopped, or the connection closed
	 * @see https://www.w3.org/TR/webrtc/#dom-rtcrtpsender-replacetrack
	 */
	async replaceTrack(withTrack: MediaStreamTrack | null): Promise<void> {
		requireArguments(arguments.length, 1, 'replaceTrack');
		const track = toTrack(withTrack, 'withTrack');
		const { connection, kind, transceiver } = this.#sender;
		// 5.
		if (track && track.kind !== kind) throw new TypeError(`The track is of ${track.kind}; the sender takes ${kind}`);
		// 6.
		await connection.operations.chain(async () => {
			if (transceiver.stopping) throw invalidState('The transceiver is stopped');
			await this.#sender.replaceTrack(track);
		});
	}

	/**
	 * Says which streams the track is in, for the peer to know; negotiated next.
	 *
	 * @throws {InvalidStateError} the connection is closed
	 * @see https://www.w3.org/TR/webrtc/#dom-rtcrtpsender-setstreams
	 */
	setStreams(...streams: MediaStream[]): void {
		const given = streams.map((stream) => toStream(stream, 'stream'));
		this.#sender.connection.requireOpen();
		this.#sender.setStreams(given);
		updateNegotiationNeeded(this.#sender.connection);
	}

	/** @see https://www.w3.org/TR/webrtc/#dom-rtcrtpsender-getstats */
	async getStats(): Promise<RTCStatsReport> {
		return collectStats(this.#sender.connection, this.#sender);
	}

	static {
		senderOf = (object) => object.#sender;
	}
}

defineInterface(RTCRtpSender);
