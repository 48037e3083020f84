/** What the main job calls good, and what not. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { messagesRow, pictureRow, table, toneRow } from '../../../demo/job/report.ts';
import { receiptOf, sameMessage } from '../../../demo/receipts.ts';

const seen = { mimeType: 'video/VP8', width: 320, height: 240, frames: 60, seconds: 2, right: 60, moving: 59 };
const heard = { mimeType: 'audio/opus', seconds: 1.5, frequency: 660.4, share: 0.99 };
const exchanged = { text: 9, binary: 9, bytes: 1_000, largest: 500, confirmed: 18 };

test('a picture is good when nearly all frames carry the code and it moves', () => {
	assert.ok(pictureRow('a → b', 'film', 7, seen).good);
	assert.ok(pictureRow('a → b', 'film', 7, { ...seen, right: 57 }).good);
	assert.not(pictureRow('a → b', 'film', 7, { ...seen, right: 56 }).good);
	assert.not(pictureRow('a → b', 'film', 7, { ...seen, moving: 1 }).good, 'a frozen picture');
});

test('a tone is good within 1 %, when it is most of what is heard', () => {
	assert.ok(toneRow('a → b', 'film', 660, heard).good);
	assert.not(toneRow('a → b', 'film', 660, { ...heard, frequency: 667 }).good);
	assert.not(toneRow('a → b', 'film', 660, { ...heard, share: 0.5 }).good, 'noise');
	assert.not(toneRow('a → b', 'film', 660, { ...heard, frequency: 0, share: 0 }).good, 'silence');
});

test('messages are good when every one is confirmed', () => {
	assert.ok(messagesRow('a → b', exchanged).good);
	assert.not(messagesRow('a → b', { ...exchanged, confirmed: 17 }).good);
});

test('a receipt tells messages apart by sender, type and content', async () => {
	const receipt = await receiptOf('ä', 'anna');
	assert.equal(receipt, {
		from: 'anna',
		type: 'text',
		bytes: 2,
		sha256: '33e6d73fee82904c8d7afb78de1154d1e8dc2a0edb08120e63df5b9385c2d9cc',
	});
	assert.ok(sameMessage(receipt, { ...receipt }));
	assert.not(sameMessage(receipt, await receiptOf('ä', 'bert')));
	assert.not(sameMessage(receipt, await receiptOf(new TextEncoder().encode('ä').buffer, 'anna')));
	assert.not(sameMessage(receipt, await receiptOf('b', 'anna')));
});

test('the table says which row is wrong', () => {
	const lines = table([
		pictureRow('a → b', 'film', 7, seen),
		toneRow('a → b', 'film', 660, { ...heard, share: 0 }),
	]).split('\n');
	assert.match(lines[1]!, /picture, VP8 .* code 7 in 60.*✓$/);
	assert.match(lines[2]!, /sound, opus .*✗ WRONG$/);
});

test.run();
