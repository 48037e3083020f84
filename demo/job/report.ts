import type { Exchanged, PictureSeen, ToneHeard } from './messages.ts';

export interface Row {
	/** 'Film bot → Test bot' */
	way: string;
	what: string;
	sent: string;
	received: string;
	verified: string;
	good: boolean;
}

/** A code in 95 of 100 frames, and a picture that moves: encoders may lose one, a frozen or wrong picture loses all. */
export function pictureRow(way: string, sent: string, code: number, seen: PictureSeen): Row {
	return {
		way,
		what: `picture, ${codecOf(seen.mimeType)}`,
		sent,
		received: `${seen.frames} frames ${seen.width}x${seen.height} in ${seen.seconds.toFixed(1)} s`,
		verified: `code ${code} in ${seen.right}, ${seen.moving} differ from the one before`,
		good: seen.right >= seen.frames * 0.95 && seen.moving >= seen.frames * 0.8,
	};
}

/** Within 1 %, a sixth of a semitone, and hardly anything else to hear. */
export function toneRow(way: string, sent: string, frequency: number, heard: ToneHeard): Row {
	return {
		way,
		what: `sound, ${codecOf(heard.mimeType)}`,
		sent,
		received: `${heard.seconds.toFixed(1)} s`,
		verified: `${heard.frequency.toFixed(1)} Hz, ${(heard.share * 100).toFixed(0)} % of the sound`,
		good: Math.abs(heard.frequency - frequency) <= frequency * 0.01 && heard.share > 0.8,
	};
}

export function messagesRow(way: string, { text, binary, bytes, largest, confirmed }: Exchanged): Row {
	const count = text + binary;
	return {
		way,
		what: 'messages',
		sent: `${text} text, ${binary} binary, ${bytes} bytes, up to ${largest}`,
		received: `${confirmed} of ${count} confirmed`,
		verified: `${confirmed} SHA-256 digests agree`,
		good: confirmed === count,
	};
}

/** The rows under their columns' names, as text. */
export function table(rows: readonly Row[]): string {
	const lines = [
		['', '', 'sent', 'received', 'verified', ''],
		...rows.map(({ way, what, sent, received, verified, good }) => {
			return [way, what, sent, received, verified, good ? '✓' : '✗ WRONG'];
		}),
	];
	const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
	return lines
		.map((line) =>
			line
				.map((cell, column) => cell.padEnd(widths[column]!))
				.join('  ')
				.trimEnd(),
		)
		.join('\n');
}

function codecOf(mimeType: string): string {
	return mimeType.slice(mimeType.indexOf('/') + 1);
}
