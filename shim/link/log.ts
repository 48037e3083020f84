/** Something that whoever runs the program should hear of, and that no event or error of an object tells. */
export interface LogRecord {
	readonly level: 'info' | 'warn' | 'error';
	/** The part that says it: `worker` is a Python process, whose lines come one by one. */
	readonly source: 'shim' | 'bridge' | 'worker';
	/** One line, without its end. */
	readonly message: string;
}

export type Log = (record: LogRecord) => void;

/** Writes to the console; every level by `warn`, since a program's own output is on stdout. */
export const consoleLog: Log = ({ message }) => console.warn(`aiortc-shim: ${message}`);
