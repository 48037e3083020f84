/** What went wrong, for a person. */

const SENTENCES: [pattern: RegExp, sentence: string][] = [
	[/^(websocket error|xhr poll error|timeout)$/, 'The room’s server does not answer. Is npm start still running?'],
	[
		/^(transport close|transport error|server shutting down|socket has been disconnected)$/,
		'The room’s server has gone away.',
	],
	[/^io server disconnect$/, 'The room’s server has put you out.'],
	[/^ping timeout$/, 'The room’s server has not been heard for a while.'],
	[/operation has timed out/, 'The room’s server took too long to answer.'],
	[/room is full/, 'The room is full. Wait until somebody leaves.'],
	[/the SFU has ended/, 'The SFU has ended. Start the demo again.'],
	[/SFU closed the connection/, 'The SFU has closed the connection.'],
	[/could not be restored/, 'The connection to the SFU was interrupted and could not be restored.'],
	[/device not supported/, 'This browser has no WebRTC that mediasoup-client knows. Join through the bridge instead.'],
];

const DEVICE_ERRORS: Record<string, string> = {
	NotAllowedError: 'the browser was not allowed to use it',
	NotFoundError: 'there is none',
	NotReadableError: 'another program is using it',
	OverconstrainedError: 'there is none that fits',
	AbortError: 'it could not be started',
};

/** A sentence for an error, or for the reason that a library gives as a string. */
export function inWords(error: unknown): string {
	const message = error instanceof Error ? error.message || error.name : String(error);
	const known = SENTENCES.find(([pattern]) => pattern.test(message));
	if (known) return known[1];
	const text = message.charAt(0).toUpperCase() + message.slice(1);
	return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** Why a camera or microphone is not to be had. */
export function whyNoDevice(error: unknown): string {
	const { name, message } = error as Error;
	return DEVICE_ERRORS[name] ?? message;
}

export function sizeInWords(bytes: number): string {
	if (bytes < 1_000) return `${bytes} B`;
	if (bytes < 1_000_000) return `${(bytes / 1_000).toFixed(bytes < 10_000 ? 1 : 0)} kB`;
	return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** @param kilobits a second */
export function rateInWords(kilobits: number): string {
	return kilobits < 1_000 ? `${Math.round(kilobits)} kbit/s` : `${(kilobits / 1_000).toFixed(1)} Mbit/s`;
}

/** Browsers measure in whole milliseconds, and on one machine find none. */
export function tripInWords(milliseconds: number): string {
	return milliseconds < 1 ? '< 1 ms' : `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`;
}
