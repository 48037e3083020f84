import * as idl from '../webidl/convert.ts';
import { defineInterface, requireArguments } from '../webidl/interface.ts';
import { arrayBuffer, bytesIn, takeBytes } from './buffers.ts';

const FORMATS = ['u8', 's16', 's32', 'f32', 'u8-planar', 's16-planar', 's32-planar', 'f32-planar'] as const;
type Format = (typeof FORMATS)[number];
type SampleType = 'u8' | 's16' | 's32' | 'f32';
type Samples = Uint8Array | Int16Array | Int32Array | Float32Array;

const sampleFormat = idl.enumeration('AudioSampleFormat', FORMATS);
const arrays = { u8: Uint8Array, s16: Int16Array, s32: Int32Array, f32: Float32Array };
/** Bits of an integer sample; the zero of u8 is 128. */
const bits = { u8: 8, s16: 16, s32: 32 };

/** What browsers take. */
const RATES = { min: 3_000, max: 768_000 };
const MAX_CHANNELS = 32;

const initMembers = idl.dictionary({
	format: idl.required(sampleFormat),
	sampleRate: idl.required(idl.double),
	numberOfFrames: idl.required(idl.unsignedLongEnforced),
	numberOfChannels: idl.required(idl.unsignedLongEnforced),
	timestamp: idl.required(idl.longLongEnforced),
	data: idl.required((value) => value as AllowSharedBufferSource),
	transfer: idl.defaulted(idl.sequence(arrayBuffer), () => []),
});

const copyMembers = idl.dictionary({
	planeIndex: idl.required(idl.unsignedLongEnforced),
	frameOffset: idl.defaulted(idl.unsignedLongEnforced, () => 0),
	frameCount: idl.optional(idl.unsignedLongEnforced),
	format: idl.optional(sampleFormat),
});

/** What the clones share. */
interface Sound {
	samples: Samples;
	format: Format;
	rate: number;
	frames: number;
	channels: number;
}

/**
 * Samples, for hosts that have no AudioData of their own.
 * @see https://www.w3.org/TR/webcodecs/#audiodata-interface
 */
export class AudioData {
	#sound: Sound | null;
	readonly #timestamp: number;

	/**
	 * @param init the samples are copied, unless `transfer` has their buffer
	 * @throws {TypeError} a member is missing, or data is too short
	 * @throws {NotSupportedError} the rate is not between 3000 and 768000, or there are more than 32 channels
	 * @throws {DataCloneError} `transfer` has a buffer twice, or one that is detached
	 */
	constructor(init: AudioDataInit) {
		requireArguments(arguments.length, 1, 'AudioData');
		if (init instanceof Clone) {
			this.#sound = init.sound;
			this.#timestamp = init.timestamp;
			return;
		}
		const members = initMembers(init, 'init');
		const { format, numberOfFrames: frames, numberOfChannels: channels, timestamp, data, transfer } = members;
		const rate = Math.trunc(members.sampleRate);
		if (frames === 0 || channels === 0) throw new TypeError('AudioData without samples');
		if (rate < RATES.min || rate > RATES.max || channels > MAX_CHANNELS) {
			const limits = `${RATES.min} to ${RATES.max} Hz and ${MAX_CHANNELS} channels are`;
			throw new DOMException(`${channels} channels at ${rate} Hz; ${limits} taken`, 'NotSupportedError');
		}
		const bytes = bytesIn(data, 'init.data');
		const size = frames * channels * bytesPerSample(format);
		if (bytes.byteLength < size) throw new TypeError(`${bytes.byteLength} bytes of samples; ${size} are needed`);
		const taken = takeBytes(bytes, size, transfer);
		this.#sound = { samples: samplesIn(format, taken), format, rate, frames, channels };
		this.#timestamp = timestamp;
	}

	get format(): AudioSampleFormat | null {
		return this.#sound?.format ?? null;
	}

	get sampleRate(): number {
		return this.#sound?.rate ?? 0;
	}

	get numberOfFrames(): number {
		return this.#sound?.frames ?? 0;
	}

	get numberOfChannels(): number {
		return this.#sound?.channels ?? 0;
	}

	/** Microseconds. */
	get duration(): number {
		return this.#sound ? Math.trunc((this.#sound.frames / this.#sound.rate) * 1e6) : 0;
	}

	/** Microseconds. */
	get timestamp(): number {
		return this.#timestamp;
	}

	/**
	 * Bytes that copyTo needs.
	 *
	 * @throws {InvalidStateError} it is closed
	 * @throws {RangeError} there is no such plane or part
	 */
	allocationSize(options: AudioDataCopyToOptions): number {
		requireArguments(arguments.length, 1, 'AudioData.allocationSize');
		return sizeOf(partOf(this.#open(), options));
	}

	/**
	 * Copies a plane, or the interleaved samples, turned into `options.format`.
	 *
	 * @throws {InvalidStateError} it is closed
	 * @throws {RangeError} there is no such plane or part, or the destination is too small
	 */
	copyTo(destination: AllowSharedBufferSource, options: AudioDataCopyToOptions): void {
		requireArguments(arguments.length, 2, 'AudioData.copyTo');
		const part = partOf(this.#open(), options);
		const size = sizeOf(part);
		const target = bytesIn(destination, 'destination');
		if (target.byteLength < size) throw new RangeError(`${target.byteLength} bytes; ${size} are needed`);
		const { buffer, byteOffset } = convert(this.#open(), part);
		target.set(new Uint8Array(buffer, byteOffset, size));
	}

	/** @throws {InvalidStateError} it is closed */
	clone(): AudioData {
		return new AudioData(new Clone(this.#open(), this.#timestamp) as unknown as AudioDataInit);
	}

	/** Lets go of the samples. */
	close(): void {
		this.#sound = null;
	}

	#open(): Sound {
		if (this.#sound) return this.#sound;
		throw new DOMException('The AudioData is closed', 'InvalidStateError');
	}
}

/** What clone() gives to the constructor. */
class Clone {
	readonly sound: Sound;
	readonly timestamp: number;

	constructor(sound: Sound, timestamp: number) {
		this.sound = sound;
		this.timestamp = timestamp;
	}
}

interface Part {
	format: Format;
	first: number;
	count: number;
	/** Those that are copied, interleaved. */
	channels: number[];
}

/** @see https://www.w3.org/TR/webcodecs/#compute-copy-element-count */
function partOf(sound: Sound, options: AudioDataCopyToOptions): Part {
	const { planeIndex, frameOffset, frameCount, format = sound.format } = copyMembers(options, 'options');
	const planes = isPlanar(format) ? sound.channels : 1;
	if (planeIndex >= planes) throw new RangeError(`plane ${planeIndex} of ${planes}`);
	const count = frameCount ?? sound.frames - frameOffset;
	if (frameOffset >= sound.frames || frameOffset + count > sound.frames) {
		throw new RangeError(`frames ${frameOffset} to ${frameOffset + count} of ${sound.frames}`);
	}
	const channels = isPlanar(format) ? [planeIndex] : Array.from({ length: sound.channels }, (_, index) => index);
	return { format, first: frameOffset, count, channels };
}

function sizeOf({ format, count, channels }: Part): number {
	return count * channels.length * bytesPerSample(format);
}

function convert(sound: Sound, { format, first, count, channels }: Part): Samples {
	const planar = isPlanar(sound.format);
	// All of a plane, or of the interleaved samples, as they are.
	if (format === sound.format) {
		const start = planar ? channels[0]! * sound.frames + first : first * sound.channels;
		return sound.samples.subarray(start, start + count * channels.length);
	}
	const target = new arrays[typeOf(format)](count * channels.length);
	const scale = scaleBetween(typeOf(sound.format), typeOf(format));
	for (const [index, channel] of channels.entries()) {
		for (let frame = 0; frame < count; frame++) {
			const at = planar ? channel * sound.frames + first + frame : (first + frame) * sound.channels + channel;
			target[frame * channels.length + index] = scale(sound.samples[at]!);
		}
	}
	return target;
}

/**
 * Integers differ by powers of two, so that what is widened and narrowed again is what it was; a float has the range
 * from -1 to 1 of the integer's from its least to one more than its greatest.
 */
function scaleBetween(from: SampleType, to: SampleType): (sample: number) => number {
	if (from === to) return (sample) => sample;
	if (from === 'f32') {
		const full = 2 ** (bits[to as 's16'] - 1);
		const zero = to === 'u8' ? 128 : 0;
		return (sample) => Math.max(-full, Math.min(full - 1, Math.round(sample * full))) + zero;
	}
	const zero = from === 'u8' ? 128 : 0;
	if (to === 'f32') {
		const full = 2 ** (bits[from] - 1);
		return (sample) => (sample - zero) / full;
	}
	const factor = 2 ** (bits[to] - bits[from]);
	const base = to === 'u8' ? 128 : 0;
	return (sample) => Math.floor((sample - zero) * factor) + base;
}

function samplesIn(format: Format, { bytes, owned }: { bytes: Uint8Array; owned: boolean }): Samples {
	const size = bytesPerSample(format);
	const { buffer, byteOffset, byteLength } = owned && bytes.byteOffset % size === 0 ? bytes : bytes.slice();
	return new arrays[typeOf(format)](buffer as ArrayBuffer, byteOffset, byteLength / size);
}

function typeOf(format: Format): SampleType {
	return format.replace('-planar', '') as SampleType;
}

function isPlanar(format: Format): boolean {
	return format.endsWith('-planar');
}

function bytesPerSample(format: Format): 1 | 2 | 4 {
	return arrays[typeOf(format)].BYTES_PER_ELEMENT as 1 | 2 | 4;
}

defineInterface(AudioData);
