import type { AudioHeader, MediaHeader, VideoHeader } from '../rpc/types.ts';
import { AudioData as OwnAudioData } from './AudioData.ts';
import { i420Of, i420OfNv12, type Rect } from './planes.ts';
import { VideoFrame as OwnVideoFrame } from './VideoFrame.ts';

/** What WebRTC's pictures are in; hosts would take them for BT.709 otherwise. */
const BT601 = { primaries: 'smpte170m', transfer: 'smpte170m', matrix: 'smpte170m', fullRange: false } as const;

/** A VideoFrame or AudioData, of the host's own class where it has one. */
export function toFrame(header: MediaHeader, planes: Uint8Array<ArrayBuffer>): VideoFrame | AudioData {
	return header.format === 'I420' ? toVideoFrame(header, planes) : toAudioData(header, planes);
}

function toVideoFrame(header: VideoHeader, planes: Uint8Array<ArrayBuffer>): VideoFrame {
	const { format, width: codedWidth, height: codedHeight, timestamp, duration } = header;
	const size = { codedWidth, codedHeight };
	const time = { timestamp, duration: duration ?? undefined };
	// Nobody else has the bytes, so the host need not copy them.
	const init = { format, ...size, ...time, colorSpace: BT601, transfer: [planes.buffer] };
	const Class = globalThis.VideoFrame ?? OwnVideoFrame;
	return new Class(planes, init);
}

function toAudioData(header: AudioHeader, data: Uint8Array<ArrayBuffer>): AudioData {
	const Class = globalThis.AudioData ?? OwnAudioData;
	return new Class({ ...header, data });
}

/** A frame as it goes over the wire. */
export interface WireFrame {
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
	const { timestamp, duration } = frame;
	const rect = evenRect(frame.visibleRect);
	const planes = await i420From(frame, rect);
	const { width, height } = rect;
	return { header: { timestamp, duration, format: 'I420', width, height, rotation: 0 }, planes };
}

/**
 * The picture without the row or column that would be half a chroma sample.
 *
 * @throws {TypeError} nothing is left of it, or the frame is closed
 */
function evenRect(visible: Rect | null): Rect {
	const { x, y, width, height } = visible ?? { x: 0, y: 0, width: 0, height: 0 };
	const rect = { x: x + (x & 1), y: y + (y & 1), width: (width - (x & 1)) & ~1, height: (height - (y & 1)) & ~1 };
	if (rect.width > 0 && rect.height > 0) return rect;
	throw new TypeError(`A frame of ${width}x${height}; 2x2 is the least`);
}

async function i420From(frame: VideoFrame, rect: Rect): Promise<Uint8Array> {
	const { width, height } = rect;
	if (frame.format === 'I420' || frame.format === 'I420A') {
		// Alpha comes last.
		return (await copied(frame, { rect })).subarray(0, width * height * 1.5);
	}
	if (frame.format === 'NV12') return i420OfNv12(await copied(frame, { rect }), width, height);
	return i420Of(await copied(frame, { rect, format: 'RGBA' }), width, height);
}

async function copied(frame: VideoFrame, options: VideoFrameCopyToOptions): Promise<Uint8Array> {
	const data = new Uint8Array(frame.allocationSize(options));
	await frame.copyTo(data, options);
	return data;
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
