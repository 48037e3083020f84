import type { LogLevel, LogRecord } from '../../shim/link/log.ts';
import { LEVELS, WORKER_OUTPUT } from './kinds.ts';

const KIND = /^[a-z][a-z-]{0,39}$/;
/** A name that a field of JSON may have beside the record's own. */
const FIELD = /^(?!(?:level|time|source|kind|message)$)[a-z]\w{0,19}$/;
const MOST_FIELDS = 12;

/**
 * The record that a line of a worker's stderr is: the worker's own lines are JSON. What is none was printed by a native
 * library, or by Python while it died.
 */
export function workerRecord(line: string): LogRecord {
	return read(line) ?? { level: 'error', source: 'worker', kind: WORKER_OUTPUT, message: line };
}

function read(line: string): LogRecord | null {
	if (!line.startsWith('{')) return null;
	try {
		const { level, kind, message, ...rest } = JSON.parse(line);
		if (!LEVELS.includes(level) || typeof message !== 'string' || !KIND.test(kind)) return null;
		return { level: level as LogLevel, source: 'worker', kind, message, fields: fieldsOf(rest) };
	} catch {
		return null;
	}
}

function fieldsOf(rest: object): LogRecord['fields'] {
	const flat = Object.entries(rest).filter(
		([name, value]) => FIELD.test(name) && (typeof value === 'string' || typeof value === 'number'),
	);
	return Object.fromEntries(flat.slice(0, MOST_FIELDS));
}
