/** What a bridge says, and how urgent that is; docs/logs.md says what each kind means. */

import type { LogLevel } from '../../shim/link/log.ts';

export const KINDS = {
	setup: 'info',
	advice: 'warn',
	refused: 'warn',
	'hello-refused': 'warn',
	strangers: 'warn',
	'session-began': 'debug',
	'session-ended': 'debug',
	'session-broke': 'warn',
	'worker-failed': 'error',
	'worker-hangs': 'error',
	'worker-died': 'error',
} as const satisfies Readonly<Record<string, LogLevel>>;

export type Kind = keyof typeof KINDS;

/** Of a line on a worker's stderr that is no record: a library printed it, or Python while it died. */
export const WORKER_OUTPUT = 'worker-output';

export const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** Whether a log of level `least` has records of `level`. */
export function isLogged(level: LogLevel, least: LogLevel): boolean {
	return LEVELS.indexOf(level) >= LEVELS.indexOf(least);
}
