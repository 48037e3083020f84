import { MediaStream, MediaStreamTrack } from '../../media/index.ts';
import { defaulted, dictionary, instanceOf, required, sequence } from '../../webidl/convert.ts';
import { defineInterface, requireArguments } from '../../webidl/interface.ts';
import { RTCRtpReceiver } from '../RTCRtpReceiver.ts';
import { RTCRtpTransceiver } from '../RTCRtpTransceiver.ts';
import { eventInit } from './eventInit.ts';

const toInit = dictionary(
	{
		receiver: required(instanceOf(RTCRtpReceiver)),
		streams: defaulted(sequence(instanceOf(MediaStream)), () => []),
		track: required(instanceOf(MediaStreamTrack)),
		transceiver: required(instanceOf(RTCRtpTransceiver)),
	},
	eventInit,
);

interface TrackEventInit extends EventInit {
	receiver: RTCRtpReceiver;
	track: MediaStreamTrack;
	streams?: MediaStream[];
	transceiver: RTCRtpTransceiver;
}

/** @see https://www.w3.org/TR/webrtc/#rtctrackevent */
export class RTCTrackEvent extends Event {
	readonly #receiver: RTCRtpReceiver;
	readonly #track: MediaStreamTrack;
	readonly #streams: readonly MediaStream[];
	readonly #transceiver: RTCRtpTransceiver;

	constructor(type: string, eventInitDict: TrackEventInit) {
		requireArguments(arguments.length, 2, 'RTCTrackEvent');
		const { receiver, streams, track, transceiver, ...init } = toInit(eventInitDict, 'eventInitDict');
		super(type, init);
		this.#receiver = receiver;
		this.#track = track;
		this.#streams = Object.freeze(streams);
		this.#transceiver = transceiver;
	}

	get receiver(): RTCRtpReceiver {
		return this.#receiver;
	}

	get track(): MediaStreamTrack {
		return this.#track;
	}

	/** Frozen, and the same at each reading. */
	get streams(): readonly MediaStream[] {
		return this.#streams;
	}

	get transceiver(): RTCRtpTransceiver {
		return this.#transceiver;
	}
}

defineInterface(RTCTrackEvent);
