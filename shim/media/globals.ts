/** What the global scope has beyond lib.dom once the shim's classes are installed there. */

import type { MediaStreamTrackGenerator as Generator } from './MediaStreamTrackGenerator.ts';
import type { MediaStreamTrackProcessor as Processor } from './MediaStreamTrackProcessor.ts';

declare global {
	var MediaStreamTrackProcessor: typeof Processor;
	type MediaStreamTrackProcessor = Processor;
	var MediaStreamTrackGenerator: typeof Generator;
	type MediaStreamTrackGenerator = Generator;
	/** WebCodecs has it, and lib.dom has not. */
	interface VideoFrameBufferInit {
		transfer?: ArrayBuffer[];
	}
}
