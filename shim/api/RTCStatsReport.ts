import { defineInterface, requireKey } from '../webidl/interface.ts';

/** A dictionary of the report; what it has beside these depends on its type. */
export interface StatsEntry {
	id: string;
	/** Milliseconds since the epoch. */
	timestamp: DOMHighResTimeStamp;
	type: string;
	[member: string]: unknown;
}

/**
 * A read-only map of statistics by their id.
 * @see https://www.w3.org/TR/webrtc/#rtcstatsreport-object
 */
export class RTCStatsReport {
	declare [Symbol.iterator]: () => MapIterator<[string, StatsEntry]>;

	readonly #entries: ReadonlyMap<string, StatsEntry>;

	constructor(key: unknown = undefined, entries: Iterable<StatsEntry> = []) {
		requireKey(key);
		this.#entries = new Map(Array.from(entries, (entry) => [entry.id, entry]));
	}

	get size(): number {
		return this.#entries.size;
	}

	get(id: string): StatsEntry | undefined {
		return this.#entries.get(id);
	}

	has(id: string): boolean {
		return this.#entries.has(id);
	}

	keys(): MapIterator<string> {
		return this.#entries.keys();
	}

	values(): MapIterator<StatsEntry> {
		return this.#entries.values();
	}

	entries(): MapIterator<[string, StatsEntry]> {
		return this.#entries.entries();
	}

	forEach(
		callback: (value: StatsEntry, key: string, report: RTCStatsReport) => void,
		thisArg: unknown = undefined,
	): void {
		for (const [id, entry] of this.#entries) callback.call(thisArg, entry, id, this);
	}
}

defineInterface(RTCStatsReport);
// A maplike is iterated by the very function that gives its entries.
const { entries: value } = RTCStatsReport.prototype;
Object.defineProperty(RTCStatsReport.prototype, Symbol.iterator, { value, writable: true, configurable: true });
