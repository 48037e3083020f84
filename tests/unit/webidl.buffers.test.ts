import { runInNewContext } from 'node:vm';
import { JSDOM } from 'jsdom';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { generateCertificate } from '../../shim/api/certificate.ts';
import { AudioData } from '../../shim/media/AudioData.ts';
import { VideoFrame } from '../../shim/media/VideoFrame.ts';
import { bytesBehind, isArrayBuffer, isBlob, isSharedArrayBuffer, isUint8Array } from '../../shim/webidl/buffers.ts';
import { FakeSession } from './api/fakeSession.ts';

/** A value of a realm whose classes are not ours. */
function foreign(expression: string): object {
	return runInNewContext(expression);
}

const VALUES: [what: string, value: unknown, kind: 'buffer' | 'shared' | 'octets' | 'blob' | 'none'][] = [
	['an ArrayBuffer', new ArrayBuffer(1), 'buffer'],
	["another realm's", foreign('new ArrayBuffer(1)'), 'buffer'],
	['one without its prototype', Object.setPrototypeOf(new ArrayBuffer(1), null), 'buffer'],
	['a SharedArrayBuffer', new SharedArrayBuffer(1), 'shared'],
	["another realm's, shared", foreign('new SharedArrayBuffer(1)'), 'shared'],
	['a Uint8Array', new Uint8Array(1), 'octets'],
	["another realm's Uint8Array", foreign('new Uint8Array(1)'), 'octets'],
	['a Buffer', Buffer.alloc(1), 'octets'],
	['a Uint8ClampedArray', new Uint8ClampedArray(1), 'none'],
	['a DataView', new DataView(new ArrayBuffer(1)), 'none'],
	['a Blob', new Blob(['x']), 'blob'],
	['a File', new File(['x'], 'x'), 'blob'],
	[
		"jsdom's Blob",
		new new JSDOM('', { url: 'https://jsdom.test', runScripts: 'outside-only' }).window.Blob(['x']),
		'blob',
	],
	['what calls itself a Blob', { [Symbol.toStringTag]: 'Blob', size: 1 }, 'none'],
	['what calls itself an ArrayBuffer', { [Symbol.toStringTag]: 'ArrayBuffer', byteLength: 1 }, 'none'],
	['what inherits from one', Object.create(ArrayBuffer.prototype), 'none'],
	['what inherits from a Blob', Object.create(Blob.prototype), 'none'],
	['null', null, 'none'],
	['a string', 'x', 'none'],
];

for (const [what, value, kind] of VALUES) {
	test(`${what} is told by its slots`, () => {
		assert.equal(
			[isArrayBuffer(value), isSharedArrayBuffer(value), isUint8Array(value), isBlob(value)],
			['buffer', 'shared', 'octets', 'blob'].map((each) => each === kind),
		);
	});
}

test('bytes are those that a view shows, of any realm, and none where the buffer is detached', () => {
	assert.equal([...bytesBehind(foreign('new Uint16Array([1, 2, 3]).subarray(1, 2)'))!], [2, 0]);
	assert.equal([...bytesBehind(foreign('new Uint8Array([1, 2]).buffer'))!], [1, 2]);
	assert.is(bytesBehind(new SharedArrayBuffer(3))!.byteLength, 3);
	const view = new Uint8Array(8);
	structuredClone(view.buffer, { transfer: [view.buffer] });
	assert.is(bytesBehind(view)!.byteLength, 0);
	assert.is(bytesBehind(view.buffer)!.byteLength, 0);
	assert.is(bytesBehind({}), null);
});

test('pictures, samples and the exponent of a key may be of another realm', async () => {
	const init = { format: 'I420', codedWidth: 2, codedHeight: 2, timestamp: 0 } as const;
	const frame = new VideoFrame(foreign('new Uint8Array([1, 2, 3, 4, 5, 6]).buffer') as ArrayBuffer, init);
	const target = foreign('new Uint8Array(6)') as Uint8Array<ArrayBuffer>;
	await frame.copyTo(target);
	assert.equal([...target], [1, 2, 3, 4, 5, 6]);
	const data = foreign('new Int16Array([7, 8])') as Int16Array<ArrayBuffer>;
	const sound = {
		format: 's16',
		sampleRate: 8000,
		numberOfFrames: 2,
		numberOfChannels: 1,
		timestamp: 0,
		data,
	} as const;
	const samples = new Int16Array(2);
	new AudioData(sound).copyTo(samples, { planeIndex: 0 });
	assert.equal([...samples], [7, 8]);
	const publicExponent = foreign('new Uint8Array([1, 0, 1])') as Uint8Array<ArrayBuffer>;
	const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048, publicExponent };
	const session = new FakeSession();
	await generateCertificate(() => session.session, algorithm);
	assert.is(session.of('Certificate')[0]!.params.algorithm, 'RSA');
});

test.run();
