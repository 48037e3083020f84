import * as idl from '../webidl/convert.ts';
import { defineInterface, requireArguments } from '../webidl/interface.ts';
import { bytesIn } from './planes.ts';

type Samples = Int16Array | Float32Array;
type Format = 's16' | 's16-planar' | 'f32' | 'f32-planar';

const formats: readonly Format[] = ['s16', 's16-planar', 'f32', 'f32-planar'];

const initMembers = idl.dictionary({
	format: idl.required(idl.domString),
	sampleRate: idl.required(idl.double),
	numberOfFrames: idl.required(idl.unsignedLongEnforced),
	numberOfChannels: idl.required(idl.unsignedLongEnforced),
	timestamp: idl.required(idl.double),
	data: idl.required((value) => value as AllowSharedBufferSource),
});

/** What the clones share. */
interface Sound {
	samples: Samples;
	format: Format;
	frames: number;
	channels: number;
}

/**
 * Samples, for hosts that have no AudioData of their own.
 * @see https://www.w3.org/TR/webcodecs/#audiodata-interface
 */
export class AudioData {
	#sound: Sound | null;
	readonly #sampleRate: number;
	readonly #timestamp: number;

	/**
	 * @param init the samples are copied
	 * @throws {TypeError} a member is missing, or data is too short
	 * @throws {NotSupportedError} the format is neither s16 nor f32
	 */
	constructor(init: AudioDataInit) {
		requireArguments(arguments.length, 1, 'AudioData');
		const { format, sampleRate, numberOfFrames, numberOfChannels, timestamp, data } = initMembers(init, 'init');
		if (numberOfFrames === 0 || numberOfChannels === 0 || sampleRate <= 0)
			throw new TypeError('AudioData without samples');
		const bytes = bytesIn(data, 'init.data');
		const known = knownFormat(format);
		const size = numberOfFrames * numberOfChannels * bytesPerSample(known);
		if (bytes.byteLength < size) throw new TypeError(`${bytes.byteLength} bytes of samples; ${size} are needed`);
		const samples = samplesIn(known, bytes.slice(0, size));
		this.#sound = { samples, format: known, frames: numberOfFrames, channels: numberOfChannels };
		this.#sampleRate = sampleRate;
		this.#timestamp = Math.trunc(timestamp);
	}

	get format(): AudioSampleFormat | null {
		return this.#sound?.format ?? null;
	}

	get sampleRate(): number {
		return this.#sound ? this.#sampleRate : 0;
	}

	get numberOfFrames(): number {
		return this.#sound?.frames ?? 0;
	}

	get numberOfChannels(): number {
		return this.#sound?.channels ?? 0;
	}

	/** Microseconds. */
	get duration(): number {
		return this.#sound ? Math.trunc((this.#sound.frames / this.#sampleRate) * 1e6) : 0;
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
		const { format, count, channels } = this.#part(options);
		return count * channels.length * bytesPerSample(format);
	}

	/**
	 * Copies a plane, or the interleaved samples, turned into `options.format`.
	 *
	 * @throws {InvalidStateError} it is closed
	 * @throws {RangeError} there is no such plane or part, or the destination is too small
	 */
	copyTo(destination: AllowSharedBufferSource, options: AudioDataCopyToOptions): void {
		requireArguments(arguments.length, 2, 'AudioData.copyTo');
		const part = this.#part(options);
		const size = part.count * part.channels.length * bytesPerSample(part.format);
		const target = bytesIn(destination, 'destination');
		if (target.byteLength < size) throw new RangeError(`${target.byteLength} bytes; ${size} are needed`);
		const copied = convert(this.#open(), part);
		target.set(new Uint8Array(copied.buffer, 0, size));
	}

	/** @throws {InvalidStateError} it is closed */
	clone(): AudioData {
		const { samples, format, frames, channels } = this.#open();
		return new AudioData({
			format,
			sampleRate: this.#sampleRate,
			numberOfFrames: frames,
			numberOfChannels: channels,
			timestamp: this.#timestamp,
			data: samples as AllowSharedBufferSource as ArrayBufferView<ArrayBuffer>,
		});
	}

	/** Lets go of the samples. */
	close(): void {
		this.#sound = null;
	}

	#open(): Sound {
		if (this.#sound) return this.#sound;
		throw new DOMException('The AudioData is closed', 'InvalidStateError');
	}

	#part({ planeIndex, frameOffset = 0, frameCount, format: wanted }: AudioDataCopyToOptions): Part {
		const sound = this.#open();
		const format = wanted === undefined ? sound.format : knownFormat(wanted);
		const planes = isPlanar(format) ? sound.channels : 1;
		if (planeIndex >= planes) throw new RangeError(`plane ${planeIndex} of ${planes}`);
		const count = frameCount ?? sound.frames - frameOffset;
		if (frameOffset >= sound.frames || frameOffset + count > sound.frames) {
			throw new RangeError(`frames ${frameOffset} to ${frameOffset + count} of ${sound.frames}`);
		}
		const channels = isPlanar(format) ? [planeIndex] : Array.from({ length: sound.channels }, (_, index) => index);
		return { format, first: frameOffset, count, channels };
	}
}

interface Part {
	format: Format;
	first: number;
	count: number;
	/** Those that are copied, interleaved. */
	channels: number[];
}

function convert(sound: Sound, { format, first, count, channels }: Part): Samples {
	const target = emptySamples(format, count * channels.length);
	const scale = scaleBetween(sound.samples, target);
	const planar = isPlanar(sound.format);
	for (const [index, channel] of channels.entries()) {
		for (let frame = 0; frame < count; frame++) {
			const at = planar ? channel * sound.frames + first + frame : (first + frame) * sound.channels + channel;
			target[frame * channels.length + index] = scale(sound.samples[at]!);
		}
	}
	return target;
}

function scaleBetween(source: Samples, target: Samples): (sample: number) => number {
	if (source.BYTES_PER_ELEMENT === target.BYTES_PER_ELEMENT) return (sample) => sample;
	if (target instanceof Float32Array) return (sample) => sample / 32_768;
	return (sample) => Math.max(-32_768, Math.min(32_767, Math.round(sample * 32_768)));
}

function emptySamples(format: Format, length: number): Samples {
	return bytesPerSample(format) === 2 ? new Int16Array(length) : new Float32Array(length);
}

function samplesIn(format: Format, bytes: Uint8Array): Samples {
	return bytesPerSample(format) === 2 ? new Int16Array(bytes.buffer) : new Float32Array(bytes.buffer);
}

function knownFormat(format: string): Format {
	const known = formats.find((each) => each === format);
	if (known) return known;
	throw new DOMException(`Samples of format ${format}; known are ${formats.join(', ')}`, 'NotSupportedError');
}

function isPlanar(format: Format): boolean {
	return format.endsWith('-planar');
}

function bytesPerSample(format: Format): 2 | 4 {
	return format.startsWith('s16') ? 2 : 4;
}

defineInterface(AudioData);
