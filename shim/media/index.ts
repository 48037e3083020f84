/** What the API and the entries take from media. */

export { AudioData } from './AudioData.ts';
export type * from './constraints.ts';
export type * from './globals.ts';
export { openTrack } from './hostTracks.ts';
export { InputDeviceInfo, MediaDeviceInfo } from './MediaDeviceInfo.ts';
export { createMediaDevices, MediaDevices } from './MediaDevices.ts';
export { addTrackTo, createStream, MediaStream, removeTrackFrom } from './MediaStream.ts';
export { endTrack, type Kind, MediaStreamTrack, setTrackMuted } from './MediaStreamTrack.ts';
export { MediaStreamTrackEvent } from './MediaStreamTrackEvent.ts';
export { MediaStreamTrackGenerator } from './MediaStreamTrackGenerator.ts';
export { MediaStreamTrackProcessor } from './MediaStreamTrackProcessor.ts';
export { OverconstrainedError } from './OverconstrainedError.ts';
export { createRemoteTrack } from './remoteTrack.ts';
export { VideoFrame } from './VideoFrame.ts';
