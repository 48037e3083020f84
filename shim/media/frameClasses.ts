import type { AudioHeader, MediaHeader, VideoHeader } from '../rpc/types.ts';
import { AudioData as OwnAudioData } from './AudioData.ts';
import { i420Of } from './planes.ts';
import { VideoFrame as OwnVideoFrame } from './VideoFrame.ts';

/** A VideoFrame or AudioData, of the host's own class where it has one. */
export function toFrame(header: MediaHeader, planes: Uint8Array<ArrayBuffer>): VideoFrame | AudioData {
	return header.format === 'I420' ? toVideoFrame(header, planes) : toAudioData(header, planes);
}

function toVideoFrame(header: VideoHeader, planes: Uint8Array<ArrayBuffer>): VideoFrame {
	const { format, width: codedWidth, height: codedHeight, timestamp, duration } = header;
	const init = { format, codedWidth, codedHeight, timestamp, duration: duration ?? undefined };
	const Class = globalThis.VideoFrame ?? OwnVideoFrame;
	return new Class(planes, init);
}

function toAudioData(header: AudioHeader, data: Uint8Array<ArrayBuffer>): AudioData {
	const Class = globalThis.AudioData ?? OwnAudioData;
	return new Class({ ...header, data });
}

/** A frame as it goes over the wire. */
interface WireFrame {
	header: MediaHeader;
	planes: Uint8Array;
}

/**
 * The opposite, for a frame of ours or of the host's.
 *
 * @throws {TypeError} it is no frame of that kind
 * @throws {NotSupportedError} a picture is in a format that its host does not convert
 */
export async function fromFrame(kind: 'audio' | 'video', frame: unknown): Promise<WireFrame> {
	if (kind === 'video' && isVideoFrame(frame)) return fromVideoFrame(frame);
	if (kind === 'audio' && isAudioData(frame)) return fromAudioData(frame);
	throw new TypeError(`What was written is no frame of ${kind}`);
}

async function fromVideoFrame(frame: VideoFrame): Promise<WireFrame> {
	const { timestamp, duration, codedWidth: width, codedHeight: height } = frame;
	const rect = { x: 0, y: 0, width, height };
	const format = frame.format === 'I420' ? {} : { format: 'RGBA' as const };
	const data = new Uint8Array(frame.allocationSize({ rect, ...format }));
	await frame.copyTo(data, { rect, ...format });
	const planes = frame.format === 'I420' ? data : i420Of(data, width, height);
	return { header: { timestamp, duration, format: 'I420', width, height, rotation: 0 }, planes };
}

function fromAudioData(data: AudioData): WireFrame {
	const { timestamp, sampleRate, numberOfChannels, numberOfFrames } = data;
	const samples = new Int16Array(numberOfFrames * numberOfChannels);
	// Hosts convert to f32-planar alone.
	const channel = new Float32Array(numberOfFrames);
	for (let index = 0; index < numberOfChannels; index++) {
		data.copyTo(channel, { planeIndex: index, format: 'f32-planar' });
		for (const [at, sample] of channel.entries()) {
			samples[at * numberOfChannels + index] = Math.max(-32_768, Math.min(32_767, Math.round(sample * 32_768)));
		}
	}
	const header: AudioHeader = { timestamp, format: 's16', sampleRate, numberOfChannels, numberOfFrames };
	return { header, planes: new Uint8Array(samples.buffer) };
}

function isVideoFrame(value: unknown): value is VideoFrame {
	return value instanceof OwnVideoFrame || (Boolean(globalThis.VideoFrame) && value instanceof globalThis.VideoFrame);
}

function isAudioData(value: unknown): value is AudioData {
	return value instanceof OwnAudioData || (Boolean(globalThis.AudioData) && value instanceof globalThis.AudioData);
}
