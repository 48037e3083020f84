import { assert as check, property, string } from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Redaction } from '../../../../bridge/log/Redaction.ts';

const TOKEN = 'Zm9yIHRlc3RzIGFuZCBub3RoaW5nIGVsc2UgYXQgYWxs';

function hiding(...secrets: string[]): Redaction {
	const redaction = new Redaction();
	for (const secret of secrets) redaction.hide(secret);
	return redaction;
}

test('a secret is hidden wherever it is, also where the text is cut off', () => {
	const redaction = hiding(TOKEN);
	assert.is(redaction.clean(`the token ${TOKEN}, and ${TOKEN}`), 'the token [secret], and [secret]');
	for (let before = 440; before < 510; before++) {
		const text = redaction.clean(`${'x'.repeat(before)} ${TOKEN}`);
		assert.not(text.includes(TOKEN.slice(0, 6)), text);
		assert.ok(text.length <= 500);
	}
});

test('a secret of two sessions is hidden until both have ended', () => {
	const redaction = hiding(TOKEN, TOKEN);
	redaction.forget(TOKEN);
	assert.is(redaction.clean(TOKEN), '[secret]');
	redaction.forget(TOKEN);
	assert.is(redaction.clean(TOKEN), TOKEN);
});

const labelled: [text: string, cleaned: string][] = [
	['turn password=hunter2 x', 'turn password=[secret] x'],
	['{"username":"u","credential":"hunter2"}', '{"username":"u","credential":"[secret]"}'],
	['a=ice-pwd:hunter2hunter2', 'a=ice-pwd:[secret]'],
	['AIORTC_SHIM_TOKEN=hunter2', 'AIORTC_SHIM_TOKEN=[secret]'],
	['{"session":"s","key":"hunter2"}', '{"session":"s","key":"[secret]"}'],
	['cannot open https://me:hunter2@host/film', 'cannot open https://[secret]@host/film'],
	['the token is wrong', 'the token is wrong'],
	[
		'a token needs at least 16 characters: leave it out to have one generated',
		'a token needs at least 16 characters: leave it out to have one generated',
	],
];
for (const [text, cleaned] of labelled) {
	test(`what is called a secret is hidden though nobody knows it: ${text}`, () => {
		assert.is(new Redaction().clean(text), cleaned);
	});
}

test('a line stays one line, and moves no cursor', () => {
	const redaction = new Redaction();
	assert.is(redaction.clean('one\r\n  two\n'), 'one | two');
	assert.is(redaction.clean('\u001b[2Jgone \u202eback\u0000'), '\\u001b[2Jgone \\u202eback\\u0000');
	assert.is(redaction.cleanTraceback('Traceback\n  \u001b[1mline'), 'Traceback\n  \\u001b[1mline');
});

test('of any text that has the secret nothing of the secret is left, and no control character', () => {
	check(
		property(string({ unit: 'binary' }), string({ unit: 'binary' }), (before, after) => {
			const text = hiding(TOKEN).clean(before + TOKEN + after);
			assert.not(text.includes(TOKEN));
			// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
			assert.not.match(text, /[\u0000-\u001f\u007f-\u009f]/);
		}),
	);
});

test.run();
