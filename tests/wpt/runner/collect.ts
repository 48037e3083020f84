import type { Outcome, Subtest } from './results.ts';

type Message = { type: 'subtest'; subtest: Subtest } | ({ type: 'done' } & Outcome);

/** Gathers what one page reports, and makes the file's outcome of it however the run ended. */
export class Collector {
	readonly #subtests: Subtest[] = [];
	#resolve: (outcome: Outcome) => void = () => {};
	readonly finished: Promise<Outcome> = new Promise((resolve) => {
		this.#resolve = resolve;
	});

	/** Takes a message of page/testharnessreport.js. */
	receive(text: string): void {
		const message: Message = JSON.parse(text);
		if (message.type === 'subtest') {
			this.#subtests.push(message.subtest);
			return;
		}
		const { type: _, ...outcome } = message;
		this.#resolve(outcome);
	}

	/** Ends the run without the harness's word: what was heard of so far is kept. */
	end(status: Outcome['status'], message: string | null = null): void {
		this.#resolve({ status, message, subtests: this.#subtests });
	}
}

/** Runs `start(collector)` until the page is done or `timeoutMs` have passed. */
export async function collect(
	timeoutMs: number,
	start: (collector: Collector) => void | Promise<void>,
): Promise<Outcome> {
	const collector = new Collector();
	const timer = setTimeout(() => collector.end('TIMEOUT', `no result in ${timeoutMs} ms`), timeoutMs);
	Promise.resolve()
		.then(() => start(collector))
		.catch((error: unknown) => collector.end('ERROR', String(error)));
	const outcome = await collector.finished;
	clearTimeout(timer);
	return outcome;
}
