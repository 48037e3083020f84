/** The log of the command: to stderr, as text for a person or as JSON for a collector of logs. */

import pino from 'pino';
import type { Log, LogRecord } from '../../shim/link/log.ts';
import { withTraceback } from './stderr.ts';

export const FORMATS = ['text', 'json'] as const;
export type LogFormat = (typeof FORMATS)[number];

/** Characters that wait for a slow reader; what comes then is dropped. */
const WAITING = 1 << 20;

/**
 * A log that writes to stderr. Its reader may be slow, or gone, or a full disk: nothing waits for it, and nothing ends
 * with it.
 */
export function openLog(format: LogFormat): Log {
	// Not pino's own destination: its write to a pipe that is full is one that the process's exit waits for.
	const { stderr } = process;
	stderr.on('error', () => {});
	const write = (line: string) => {
		if (stderr.writableLength < WAITING) stderr.write(line);
	};
	if (format === 'text') return (record) => write(textLine(record, new Date()));
	const logger = pino(
		{
			level: 'debug',
			base: null,
			messageKey: 'message',
			timestamp: pino.stdTimeFunctions.isoTime,
			formatters: { level: (level) => ({ level }) },
		},
		{ write },
	);
	return ({ level, message, fields, ...rest }) => logger[level]({ ...fields, ...rest }, message);
}

/** `2026-11-28T15:31:04Z warn  the message (session 1a2b3c4d)`, with its end. */
export function textLine(record: LogRecord, now: Date): string {
	const time = now.toISOString().replace(/\.\d+/, '');
	const { traceback: _, ...fields } = record.fields ?? {};
	const named = Object.entries(fields).map(([name, value]) => `${name} ${value}`);
	const [message, ...traceback] = withTraceback(record).split('\n');
	const first = `${time} ${record.level.padEnd(5)} ${message}${named.length > 0 ? ` (${named.join(', ')})` : ''}`;
	return `${[first, ...traceback].join('\n')}\n`;
}
