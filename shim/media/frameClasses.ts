import type { Session } from '../rpc/Session.ts';
import type { AudioHeader, MediaHeader, VideoHeader } from '../rpc/types.ts';
import { AudioData as OwnAudioData } from './AudioData.ts';
import { isPixelFormat, isRgb } from './pixelFormats.ts';
import type { Rect } from './planes.ts';
import { BT601, SRGB } from './VideoColorSpace.ts';
import { convertIn, VideoFrame as OwnVideoFrame, wholePlanes } from './VideoFrame.ts';

/**
 * A VideoFrame or AudioData, of the host's own class where it has one.
 *
 * @param session converts what is copied from the frame in another format
 */
export function toFrame(
	header: MediaHeader,
	planes: Uint8Array<ArrayBuffer>,
	session: Session,
): VideoFrame | AudioData {
	return 'width' in header ? toVideoFrame(header, planes, session) : toAudioData(header, planes);
}

function toVideoFrame(header: VideoHeader, planes: Uint8Array<ArrayBuffer>, session: Session): VideoFrame {
	const { format, width: codedWidth, height: codedHeight, timestamp, duration } = header;
	const size = { codedWidth, codedHeight };
	const time = { timestamp, duration: duration ?? undefined };
	// Nobody else has the bytes, so they need not be copied.
	const init = { format, ...size, ...time, colorSpace: isRgb(format) ? SRGB : BT601, transfer: [planes.buffer] };
	const Class = globalThis.VideoFrame ?? OwnVideoFrame;
	const frame = new Class(planes, init);
	if (frame instanceof OwnVideoFrame) convertIn(frame, session);
	return frame;
}

function toAudioData(header: AudioHeader, data: Uint8Array<ArrayBuffer>): AudioData {
	const Class = globalThis.AudioData ?? OwnAudioData;
	return new Class({ ...header, data, transfer: [data.buffer] });
}

/** A frame as it goes over the wire. */
export interface WireFrame {
	header: MediaHeader;
	planes: Uint8Array;
}

/**
 * The opposite, for a frame of ours or of the host's, in the format that it has: the worker converts it.
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
	// Of the formats that only the host knows, it makes RGBA.
	const format = isPixelFormat(frame.format) ? frame.format : 'RGBA';
	const { width, height } = rect;
	const header: VideoHeader = { timestamp, duration, format, width, height, rotation: 0 };
	const isWhole = width === frame.codedWidth && height === frame.codedHeight;
	const own = isWhole && frame instanceof OwnVideoFrame ? wholePlanes(frame) : null;
	return { header, planes: own ?? (await copied(frame, format === frame.format ? { rect } : { rect, format })) };
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

async function copied(frame: VideoFrame, options: VideoFrameCopyToOptions): Promise<Uint8Array> {
	const data = new Uint8Array(frame.allocationSize(options));
	await frame.copyTo(data, options);
	return data;
}

function fromAudioData(data: AudioData): WireFrame {
	const { timestamp, format, numberOfChannels, numberOfFrames } = data;
	if (format === null) throw new TypeError('The AudioData is closed');
	const header: AudioHeader = {
		timestamp,
		format,
		sampleRate: Math.round(data.sampleRate),
		numberOfChannels,
		numberOfFrames,
	};
	const count = format.endsWith('-planar') ? numberOfChannels : 1;
	const size = data.allocationSize({ planeIndex: 0 });
	const planes = new Uint8Array(count * size);
	for (let planeIndex = 0; planeIndex < count; planeIndex++) {
		data.copyTo(planes.subarray(planeIndex * size), { planeIndex });
	}
	return { header, planes };
}

function isVideoFrame(value: unknown): value is VideoFrame {
	return value instanceof OwnVideoFrame || (Boolean(globalThis.VideoFrame) && value instanceof globalThis.VideoFrame);
}

function isAudioData(value: unknown): value is AudioData {
	return value instanceof OwnAudioData || (Boolean(globalThis.AudioData) && value instanceof globalThis.AudioData);
}
