/** Characters of a message or a field that are kept. */
const MOST = 500;
/** The same, of a traceback, which is there for whoever debugs. */
const MOST_TRACEBACK = 6_000;
/** A secret that is shorter would be found in innocent words. */
const SHORTEST = 4;

const HIDDEN = '[secret]';

/** `password=…`, `"credential":"…"`, `a=ice-pwd:…`: the value. */
const LABELLED =
	/((?:password|passwd|pwd|credential|token|secret|key|authorization)["']?\s*[:=]\s*["']?)(?!\[secret\])[^\s"',;&)}\]]+/gi;
/** The name and password in a URL. */
const USER_INFO = /(:\/\/)[^\s/@]+@/g;
/** What could move a terminal's cursor, begin a forged line or turn the text around. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** The one place through which every text goes before it is logged: what it hides is in no log, whoever wrote the text. */
export class Redaction {
	/** Each with how often it was given: two sessions may have the same token. */
	readonly #secrets = new Map<string, number>();

	/** Hides a secret wherever it turns up, until forget(). */
	hide(secret: string): void {
		if (secret.length >= SHORTEST) this.#secrets.set(secret, (this.#secrets.get(secret) ?? 0) + 1);
	}

	forget(secret: string): void {
		const count = this.#secrets.get(secret) ?? 0;
		if (count > 1) this.#secrets.set(secret, count - 1);
		else this.#secrets.delete(secret);
	}

	/** The text as one line that may be logged. */
	clean(text: string): string {
		const line = this.#hideIn(text)
			.trim()
			.replace(/\s*\n\s*/g, ' | ');
		return shorten(line.replace(CONTROL, visible), MOST);
	}

	/** The same, of several lines. */
	cleanTraceback(text: string): string {
		const lines = this.#hideIn(text).split('\n');
		return shorten(lines.map((line) => line.replace(CONTROL, visible)).join('\n'), MOST_TRACEBACK);
	}

	/** Before anything is cut off: half a secret would not be found. */
	#hideIn(text: string): string {
		let hidden = text;
		for (const secret of this.#secrets.keys()) hidden = hidden.replaceAll(secret, HIDDEN);
		return hidden.replace(LABELLED, `$1${HIDDEN}`).replace(USER_INFO, `$1${HIDDEN}@`);
	}
}

function visible(character: string): string {
	return character === '\t' ? ' ' : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function shorten(text: string, most: number): string {
	return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
