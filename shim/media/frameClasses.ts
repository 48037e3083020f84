import type { AudioHeader, MediaHeader, VideoHeader } from '../rpc/types.ts';
import { AudioData as OwnAudioData } from './AudioData.ts';
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
