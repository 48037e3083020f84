/** What the API and the entries take from media. */

export { AudioData } from './AudioData.ts';
export type * from './constraints.ts';
export type * from './globals.ts';
export { showsTracks } from './hostClasses.ts';
export { openTrack } from './hostTracks.ts';
export { InputDeviceInfo, MediaDeviceInfo } from './MediaDeviceInfo.ts';
export { createMediaDevices, MediaDevices } from './MediaDevices.ts';
export { MediaStream } from './MediaStream.ts';
export { type Kind, MediaStreamTrack } from './MediaStreamTrack.ts';
export { MediaStreamTrackEvent } from './MediaStreamTrackEvent.ts';
export { MediaStreamTrackGenerator } from './MediaStreamTrackGenerator.ts';
export { MediaStreamTrackProcessor } from './MediaStreamTrackProcessor.ts';
export { OverconstrainedError } from './OverconstrainedError.ts';
export { addRemoteTrack, createRemoteStream, removeRemoteTrack } from './remoteStream.ts';
export { createRemoteTrack, endRemoteTrack, muteRemoteTrack } from './remoteTrack.ts';
export { VideoColorSpace } from './VideoColorSpace.ts';
export { VideoFrame } from './VideoFrame.ts';
