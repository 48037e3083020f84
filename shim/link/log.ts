/** Least to most urgent. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Something that whoever runs the program should hear of, and that no event or error of an object tells. */
export interface LogRecord {
	readonly level: LogLevel;
	/** The part that says it: `worker` is a Python process. */
	readonly source: 'shim' | 'bridge' | 'worker';
	/** What it is about, in words that stay while the message's change: `worker-died`. docs/logs.md has all of them. */
	readonly kind: string;
	/** One sentence for a person. No token, key, password, description or byte of a frame is in it. */
	readonly message: string;
	/** What it is about in particular: `session`, `worker`, `address`, `code`. */
	readonly fields?: Readonly<Record<string, string | number>>;
}

export type Log = (record: LogRecord) => void;

/** Writes to the console of a page; every level by `warn`, as one stream. */
export const consoleLog: Log = ({ message }) => console.warn(`aiortc-shim: ${message}`);
