import { sends } from '../jsep/index.ts';
import type { Scope } from '../rpc/Scope.ts';
import { constructorKey } from '../webidl/interface.ts';
import { queueTask } from '../webidl/task.ts';
import { invalidState } from './errors.ts';
import { RTCDTMFToneChangeEvent } from './events/RTCDTMFToneChangeEvent.ts';
import { RTCDTMFSender } from './RTCDTMFSender.ts';
import type { Sender } from './sender.ts';

/** Milliseconds. */
const PAUSE = 2_000;
const DURATION = { min: 40, max: 6_000 };
const GAP = { min: 30, max: 6_000 };

/** The slots of an RTCDTMFSender. */
export class Dtmf {
	readonly object: RTCDTMFSender = new RTCDTMFSender(constructorKey, this);
	readonly #sender: Sender;
	toneBuffer = '';
	#duration = 0;
	#interToneGap = 0;
	#isScheduled = false;
	#timer: ReturnType<typeof setTimeout> | undefined;

	/** @param scope of the sender, with which the tones end */
	constructor(sender: Sender, scope: Scope) {
		this.#sender = sender;
		scope.defer(() => clearTimeout(this.#timer));
	}

	/** @see https://www.w3.org/TR/webrtc/#dfn-determine-if-dtmf-can-be-sent */
	get canInsert(): boolean {
		const { connection, transceiver, track, encodings, codecs } = this.#sender;
		return (
			connection.connectionState === 'connected' &&
			!transceiver.stopping &&
			track !== null &&
			transceiver.currentDirection !== null &&
			sends(transceiver.currentDirection) &&
			encodings[0]!.active &&
			codecs.some(({ mimeType }) => mimeType.toLowerCase() === 'audio/telephone-event')
		);
	}

	/** @see https://www.w3.org/TR/webrtc/#dom-rtcdtmfsender-insertdtmf */
	insert(given: string, duration: number, interToneGap: number): void {
		// 4.
		if (!this.canInsert) throw invalidState('Tones can be sent while the connection is up and a track is being sent');
		// 8.
		const tones = given.replace(/[a-d]/g, (tone) => tone.toUpperCase());
		const stranger = /[^0-9A-D#*,]/.exec(tones)?.[0];
		if (stranger !== undefined) throw new DOMException(`'${stranger}' is no tone`, 'InvalidCharacterError');
		// 9. – 15.
		this.toneBuffer = tones;
		this.#duration = clamp(duration, DURATION);
		this.#interToneGap = clamp(interToneGap, GAP);
		// 16. – 17.
		if (tones !== '' && !this.#isScheduled) this.#schedule(0);
	}

	#schedule(delay: number): void {
		this.#isScheduled = true;
		const run = (): void => {
			this.#isScheduled = false;
			this.#playOut();
		};
		if (delay === 0) queueTask(run);
		else this.#timer = setTimeout(run, delay);
	}

	/** The playout task steps. */
	#playOut(): void {
		// 1.
		if (!this.canInsert) return;
		// 2. – 3.
		const tone = this.toneBuffer.charAt(0);
		this.toneBuffer = this.toneBuffer.slice(1);
		if (tone === ',') {
			// 4.
			this.#schedule(PAUSE);
		} else if (tone !== '') {
			// 5.
			this.#sender.playTone(tone, this.#duration);
			this.#schedule(this.#duration + this.#interToneGap);
		}
		// 2., 6.
		this.object.dispatchEvent(new RTCDTMFToneChangeEvent('tonechange', { tone }));
	}
}

function clamp(value: number, { min, max }: { min: number; max: number }): number {
	return Math.min(Math.max(value, min), max);
}
