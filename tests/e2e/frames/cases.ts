/** Uses of VideoFrame and AudioData whose outcome a page and Node are to agree on. */

type Outcome = unknown;
/** What came of each, by its name: a value, or the name of what was thrown. */
export type Outcomes = Record<string, Outcome>;

export interface FrameClasses {
	VideoFrame: typeof VideoFrame;
	AudioData: typeof AudioData;
}

const FORMATS = ['I420', 'I420A', 'NV12', 'RGBA', 'RGBX', 'BGRA', 'BGRX'] as const;
const RGB = FORMATS.slice(3);
const WIDTH = 64;
const HEIGHT = 48;

/** Tries all of them with the classes of one side. */
export async function tryCases({ VideoFrame, AudioData }: FrameClasses): Promise<Outcomes> {
	const outcomes: Outcomes = {};
	const attempt = async (name: string, run: () => unknown) => {
		try {
			outcomes[name] = JSON.parse(JSON.stringify((await run()) ?? null));
		} catch (error) {
			outcomes[name] = `throws ${(error as Error).name}`;
		}
	};
	const frame = (format: string, init: object = {}, data: AllowSharedBufferSource = new Uint8Array(64).fill(77)) =>
		new VideoFrame(data, { format, codedWidth: 4, codedHeight: 2, timestamp: 1, ...init } as VideoFrameBufferInit);
	const facts = (each: VideoFrame) => {
		const { format, codedWidth, codedHeight, codedRect, visibleRect, displayWidth, displayHeight } = each;
		const { timestamp, duration, colorSpace } = each;
		const rects = [codedRect, visibleRect].map((rect) => rect?.toJSON());
		const sizes = [codedWidth, codedHeight, displayWidth, displayHeight];
		const { primaries, transfer, matrix, fullRange } = colorSpace;
		return { format, rects, sizes, timestamp, duration, colours: [primaries, transfer, matrix, fullRange] };
	};

	for (const format of [...FORMATS, 'I420P', '', 'rgba']) {
		await attempt(`new ${format}`, () => facts(frame(format)));
		await attempt(`${format} size`, () => frame(format).allocationSize());
		await attempt(`${format} 3x3`, () => frame(format, { codedWidth: 3, codedHeight: 3 }).allocationSize());
	}
	const inits: Record<string, object> = {
		'no width': { codedWidth: 0 },
		'no height': { codedHeight: 0 },
		'negative width': { codedWidth: -4 },
		'a width that is none': { codedWidth: 'four' },
		'no timestamp': { timestamp: undefined },
		'NaN timestamp': { timestamp: Number.NaN },
		'fractional timestamp': { timestamp: -3.7 },
		duration: { duration: 9 },
		'negative duration': { duration: -1 },
		'data too short': { codedHeight: 40 },
		visible: { visibleRect: { x: 2, y: 0, width: 2, height: 2 } },
		'visible, odd': { visibleRect: { x: 1, y: 0, width: 2, height: 2 } },
		'visible, fractions': { visibleRect: { x: 0, y: 0, width: 2.9, height: 2 } },
		'visible, empty': { visibleRect: { x: 0, y: 0, width: 0, height: 2 } },
		'visible, beyond': { visibleRect: { x: 2, y: 0, width: 4, height: 2 } },
		'visible, negative': { visibleRect: { x: -2, y: 0, width: 4, height: 2 } },
		'visible, infinite': { visibleRect: { x: 0, y: 0, width: Number.POSITIVE_INFINITY, height: 2 } },
		'display width alone': { displayWidth: 4 },
		'display size': { displayWidth: 8, displayHeight: 6 },
		'display size 0': { displayWidth: 0, displayHeight: 6 },
		'display size of what is visible': {
			visibleRect: { x: 0, y: 0, width: 2, height: 2 },
			displayWidth: 20,
			displayHeight: 10,
		},
		'colour space': {
			colorSpace: { primaries: 'smpte170m', transfer: 'smpte170m', matrix: 'smpte170m', fullRange: true },
		},
		'no such matrix': { colorSpace: { matrix: 'bt2525' } },
		'layout of one plane': { layout: [{ offset: 0, stride: 4 }] },
		'layout without stride': { layout: [{ offset: 0 }, { offset: 0 }, { offset: 0 }] },
		'a stride too small': {
			layout: [
				{ offset: 0, stride: 3 },
				{ offset: 8, stride: 2 },
				{ offset: 10, stride: 2 },
			],
		},
		'planes that overlap': {
			layout: [
				{ offset: 0, stride: 4 },
				{ offset: 4, stride: 2 },
				{ offset: 10, stride: 2 },
			],
		},
		'planes in another order': {
			layout: [
				{ offset: 20, stride: 5 },
				{ offset: 3, stride: 4 },
				{ offset: 8, stride: 3 },
			],
		},
	};
	for (const [name, init] of Object.entries(inits)) {
		await attempt(`init: ${name}`, () => facts(frame('I420', init)));
		await attempt(`init: ${name}, planes`, async () => {
			const counted = frame(
				'I420',
				init,
				Uint8Array.from({ length: 64 }, (_, index) => index),
			);
			const planes = new Uint8Array(counted.allocationSize());
			return [await counted.copyTo(planes), [...planes]];
		});
		await attempt(`clone with ${name}`, () => facts(new VideoFrame(frame('I420A'), { ...init, alpha: 'discard' })));
		await attempt(`allocationSize with ${name}`, () => {
			const { visibleRect: rect, layout } = init as VideoFrameBufferInit;
			return [frame('I420').allocationSize({ rect, layout }), frame('NV12').allocationSize({ rect })];
		});
		await attempt(`RGBA size with ${name}`, () => {
			const { visibleRect: rect } = init as VideoFrameBufferInit;
			return frame('I420').allocationSize({ rect, format: 'RGBA' });
		});
	}
	await attempt('data is no buffer', () => frame('I420', {}, 5 as unknown as ArrayBuffer));
	await attempt('no arguments', () => new (VideoFrame as unknown as new () => VideoFrame)());
	await attempt('destination too small', () => frame('I420').copyTo(new Uint8Array(11)));
	await attempt('destination is no buffer', () => frame('I420').copyTo(7 as unknown as ArrayBuffer));
	await attempt('copyTo with no such format', () =>
		frame('I420').copyTo(new Uint8Array(64), { format: 'XY' as 'I420' }),
	);
	await attempt('a closed frame', () => {
		const each = frame('I420');
		each.close();
		return facts(each);
	});
	await attempt('copyTo of a closed frame', () => {
		const each = frame('I420');
		each.close();
		return each.copyTo(new Uint8Array(64));
	});
	await attempt('clone of a closed frame', () => {
		const each = frame('I420');
		each.close();
		return each.clone();
	});
	for (const [name, list] of Object.entries(transfers())) {
		const data = list[0] ?? new ArrayBuffer(64);
		await attempt(`transfer of ${name}`, () => facts(frame('I420', { transfer: list }, data)));
		outcomes[`after transfer of ${name}`] = list.map(({ byteLength }) => byteLength);
	}
	for (const from of FORMATS) {
		for (const to of RGB) {
			// Without alpha 255 the page's colours would be multiplied with it on their way.
			await attempt(`${from} to ${to}`, async () => {
				const picture = frame(from, { codedWidth: WIDTH, codedHeight: HEIGHT }, smooth(from));
				const pixels = new Uint8Array(picture.allocationSize({ format: to }));
				const layout = await picture.copyTo(pixels, { format: to });
				return { layout, pixels: [...pixels] };
			});
			await attempt(`a part of ${from} to ${to}`, async () => {
				const picture = frame(from, { codedWidth: WIDTH, codedHeight: HEIGHT }, smooth(from));
				const rect = { x: 6, y: 2, width: 20, height: 12 };
				const layout = [{ offset: 8, stride: 92 }];
				const pixels = new Uint8Array(picture.allocationSize({ format: to, rect, layout }));
				return { layout: await picture.copyTo(pixels, { format: to, rect, layout }), pixels: [...pixels] };
			});
		}
	}
	const spaces: VideoColorSpaceInit[] = [
		{ matrix: 'smpte170m' },
		{ primaries: 'bt709', transfer: 'bt709', matrix: 'bt709', fullRange: true },
		{},
	];
	for (const colorSpace of spaces) {
		await attempt(`${JSON.stringify(colorSpace)} to RGBA`, async () => {
			const picture = frame('I420', { codedWidth: WIDTH, codedHeight: HEIGHT, colorSpace }, smooth('I420'));
			const pixels = new Uint8Array(picture.allocationSize({ format: 'RGBA' }));
			const layout = await picture.copyTo(pixels, { format: 'RGBA' });
			return { layout, pixels: [...pixels] };
		});
	}
	await trySound(AudioData, attempt);
	return outcomes;
}

const ARRAYS = { u8: Uint8Array, s16: Int16Array, s32: Int32Array, f32: Float32Array };
type SampleType = keyof typeof ARRAYS;
const SAMPLES = {
	u8: [0, 1, 127, 128, 129, 255],
	s16: [-32_768, -1, 0, 1, 1000, 32_767],
	s32: [-(2 ** 31), -65_536, 0, 1, 65_576_000, 2 ** 31 - 1],
	f32: [-1.5, -1, -0.5, 0.3, 0.999, 1.5],
};

async function trySound(
	Class: FrameClasses['AudioData'],
	attempt: (name: string, run: () => unknown) => Promise<void>,
): Promise<void> {
	const sound = (format: string, init: object = {}) => {
		const type = format.replace('-planar', '') as SampleType;
		const data = ARRAYS[type] ? ARRAYS[type].from(SAMPLES[type]) : new Uint8Array(24);
		const all = { format, sampleRate: 48_000, numberOfFrames: 3, numberOfChannels: 2, timestamp: 1, data, ...init };
		return new Class(all as AudioDataInit);
	};
	const facts = ({ format, sampleRate, numberOfFrames, numberOfChannels, duration, timestamp }: AudioData) => {
		return { format, sampleRate, numberOfFrames, numberOfChannels, duration, timestamp };
	};
	const formats = Object.keys(SAMPLES).flatMap((type) => [type, `${type}-planar`]);
	for (const from of formats) {
		await attempt(`new ${from}`, () => facts(sound(from)));
		for (const to of formats) {
			await attempt(`samples of ${from} to ${to}`, () => {
				const options = { planeIndex: 0, format: to as AudioSampleFormat };
				const size = sound(from).allocationSize(options);
				const Type = ARRAYS[to.replace('-planar', '') as SampleType];
				const samples = new Type(size / Type.BYTES_PER_ELEMENT);
				sound(from).copyTo(samples, options);
				return { size, to, samples: [...samples] };
			});
		}
	}
	const inits: Record<string, object> = {
		'another format': { format: 's24' },
		'no format': { format: undefined },
		'data too short': { data: new Uint8Array(11) },
		'data that is no buffer': { data: 'abc' },
		'no frames': { numberOfFrames: 0 },
		'no channels': { numberOfChannels: 0 },
		'33 channels': { numberOfChannels: 33, numberOfFrames: 1, data: new Uint8Array(66) },
		'32 channels': { numberOfChannels: 32, numberOfFrames: 1, data: new Uint8Array(64) },
		'rate 0': { sampleRate: 0 },
		'rate 2999': { sampleRate: 2_999 },
		'rate 3000': { sampleRate: 3_000 },
		'rate 768001': { sampleRate: 768_001 },
		'rate NaN': { sampleRate: Number.NaN },
		'a fraction of a rate': { sampleRate: 44_100.5 },
		'an odd offset': { data: new Uint8Array(13).subarray(1) },
	};
	for (const [name, init] of Object.entries(inits))
		await attempt(`AudioData: ${name}`, () => facts(sound('s16', init)));
	const options: Record<string, object> = {
		'no plane': {},
		'plane 1': { planeIndex: 1 },
		'plane 2': { planeIndex: 2 },
		'all frames skipped': { planeIndex: 0, frameOffset: 3 },
		'too many frames': { planeIndex: 0, frameOffset: 1, frameCount: 3 },
		'no frame': { planeIndex: 0, frameCount: 0 },
		'another format': { planeIndex: 0, format: 's24' },
		'a negative offset': { planeIndex: 0, frameOffset: -1 },
	};
	for (const [name, each] of Object.entries(options)) {
		await attempt(`interleaved: ${name}`, () => sound('s16').allocationSize(each as AudioDataCopyToOptions));
		await attempt(`planar: ${name}`, () => sound('s16-planar').allocationSize(each as AudioDataCopyToOptions));
	}
	await attempt('samples into too little', () => sound('s16').copyTo(new Uint8Array(5), { planeIndex: 0 }));
	await attempt('closed AudioData', () => {
		const each = sound('s16');
		each.close();
		return facts(each);
	});
	await attempt('samples of closed AudioData', () => {
		const each = sound('s16');
		each.close();
		each.copyTo(new Uint8Array(50), { planeIndex: 0 });
	});
	for (const [name, list] of Object.entries(transfers())) {
		await attempt(`AudioData with transfer of ${name}`, () => {
			return facts(sound('s16', { transfer: list, data: list[0] ?? new ArrayBuffer(64) }));
		});
		await attempt(`after AudioData with transfer of ${name}`, () => list.map(({ byteLength }) => byteLength));
	}
}

function transfers(): Record<string, ArrayBuffer[]> {
	const data = new ArrayBuffer(64);
	const gone = new ArrayBuffer(64);
	structuredClone(gone, { transfer: [gone] });
	const twice = new ArrayBuffer(64);
	return {
		nothing: [],
		'its buffer and another': [data, new ArrayBuffer(3)],
		'a buffer twice': [twice, twice],
		'a detached buffer': [new ArrayBuffer(64), gone],
	};
}

/** A picture whose colours change slowly, within what RGB can say: how chroma is spread hardly matters. */
function smooth(format: string): Uint8Array {
	const wave = (x: number, y: number, phase: number) => Math.sin(x / 40 + phase) * Math.cos(y / 30 + phase);
	const plane = (across: number, values: readonly ((x: number, y: number) => number)[]) => {
		const samples: number[] = [];
		for (let y = 0; y < HEIGHT; y += across) {
			for (let x = 0; x < WIDTH; x += across) samples.push(...values.map((value) => value(x, y)));
		}
		return samples;
	};
	const y = (x: number, y: number) => 120 + 50 * wave(x, y, 0);
	const u = (x: number, y: number) => 128 + 20 * wave(x, y, 1);
	const v = (x: number, y: number) => 128 + 20 * wave(x, y, 2);
	const opaque = () => 255;
	if (format === 'NV12') return Uint8Array.from([...plane(1, [y]), ...plane(2, [u, v])]);
	if (format.startsWith('I420')) {
		const alpha = format === 'I420A' ? plane(1, [opaque]) : [];
		return Uint8Array.from([...plane(1, [y]), ...plane(2, [u]), ...plane(2, [v]), ...alpha]);
	}
	return Uint8Array.from(plane(1, [y, u, v, opaque]));
}
