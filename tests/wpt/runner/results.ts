/** What a run of a test file gives. */

export type SubtestStatus = 'PASS' | 'FAIL' | 'TIMEOUT' | 'NOTRUN' | 'PRECONDITION_FAILED';

export interface Subtest {
	readonly name: string;
	readonly status: SubtestStatus;
	readonly message: string | null;
}

export interface Outcome {
	/** The harness's own, or how the run ended without its word. */
	readonly status: 'OK' | 'ERROR' | 'TIMEOUT' | 'PRECONDITION_FAILED' | 'CRASH';
	readonly message: string | null;
	readonly subtests: readonly Subtest[];
	/** The end of what the process wrote. */
	readonly output?: string;
}

export interface FileResult extends Outcome {
	/** The test's path below the root of the tests, with its variant. */
	readonly path: string;
	readonly ms: number;
}

/** Where tests run. */
export interface Environment {
	version(): Promise<string>;
	/** Loads a page and waits for its results, `timeoutMs` at most; the page's own timeouts are `patience` times as long. */
	run(url: string, timeoutMs: number, patience: number): Promise<Outcome>;
	close(): Promise<void>;
}

export function passes(result: Outcome): number {
	return result.subtests.filter(({ status }) => status === 'PASS').length;
}
