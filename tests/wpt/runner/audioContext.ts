import type { Shim } from '../../../entries/node.ts';

/**
 * As much of an AudioContext, which jsdom has not, as tests need to get a track of sound where what is heard does not
 * matter: an oscillator that is silent.
 */
export function audioContext({ MediaStream, MediaStreamTrackGenerator }: Shim): unknown {
	return class AudioContext {
		createMediaStreamDestination() {
			return { stream: new MediaStream([new MediaStreamTrackGenerator({ kind: 'audio' })]) };
		}

		createOscillator() {
			return {
				connect: <Node>(destination: Node): Node => destination,
				start: (): void => {},
			};
		}
	};
}
