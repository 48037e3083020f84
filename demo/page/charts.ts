import uPlot from 'uplot';
import { element, part } from './dom.ts';
import { type Rates, ratesOf, type Sample, sampleOf } from './rates.ts';
import { rateInWords, tripInWords } from './words.ts';

/** Seconds that a chart shows, one sample a second. */
const SPAN = 60;

/** Between a scale's lines: 1, 2, 5, 10 … */
const STEPS = Array.from({ length: 21 }, (_, i) => [1, 2, 5][i % 3]! * 10 ** Math.floor(i / 3));

type Column = (number | null)[];

/** Bitrate and round trip of the last minute, drawn and in figures. */
export class Charts {
	readonly #bitrate = new Chart(element('bitrate'), ['--receive', '--send'], rateInWords, 100);
	readonly #roundTrip = new Chart(element('round-trip'), ['--trip'], tripInWords, 5);
	#timer: ReturnType<typeof setInterval> | undefined;
	#last: Sample | null = null;

	/** @param getStats gives the reports of all connections of the room */
	start(getStats: () => Promise<RTCStatsReport[]>): void {
		this.stop();
		let asking = false;
		const timer = setInterval(async () => {
			// What comes late comes with the next: two at once would show a rate that never was.
			if (asking) return;
			asking = true;
			const reports = await getStats().catch(() => []);
			asking = false;
			if (timer === this.#timer && reports.length > 0) this.#add(sampleOf(reports));
		}, 1_000);
		this.#timer = timer;
	}

	stop(): void {
		clearInterval(this.#timer);
		this.#timer = undefined;
		this.#last = null;
	}

	#add(sample: Sample): void {
		const rates: Rates | null = this.#last && ratesOf(this.#last, sample);
		this.#last = sample;
		if (rates) this.#bitrate.add([rates.receive, rates.send]);
		this.#roundTrip.add([sample.roundTrip]);
	}
}

class Chart {
	readonly #plot: uPlot;
	readonly #outputs: HTMLElement[];
	readonly #words: (value: number) => string;
	readonly #times: number[] = [];
	readonly #columns: Column[];

	/**
	 * @param colours the custom property of each line's colour
	 * @param least what the scale reaches to at least
	 */
	constructor(figure: HTMLElement, colours: readonly string[], words: (value: number) => string, least: number) {
		const box = part(figure, '.plot');
		this.#outputs = [...figure.querySelectorAll<HTMLElement>('.value')];
		this.#words = words;
		this.#columns = colours.map(() => []);
		const colour = (name: string) => () => getComputedStyle(box).getPropertyValue(name);
		const options: uPlot.Options = {
			width: 0,
			height: 0,
			legend: { show: false },
			cursor: { show: false },
			padding: [8, 0, 4, 0],
			scales: {
				x: { time: false, range: () => [now() - SPAN, now()] },
				y: { range: (_, __, most) => [0, Math.max(least, (most ?? 0) * 1.15)] },
			},
			axes: [
				{ show: false },
				{
					size: 68,
					gap: 6,
					font: `11px ${getComputedStyle(box).fontFamily}`,
					space: 44,
					incrs: STEPS,
					stroke: colour('--quiet'),
					grid: { stroke: colour('--line'), width: 1 },
					ticks: { show: false },
					values: (_, values) => values.map((value) => (value === 0 ? '0' : words(value).replace('.0 ', ' '))),
				},
			],
			series: [
				{},
				...colours.map((name) => ({
					stroke: colour(name),
					fill: colour(`${name}-fill`),
					width: 2,
					points: { show: false },
				})),
			],
		};
		this.#plot = new uPlot(options, this.#data(), box);
		new ResizeObserver(() => this.#plot.setSize({ width: box.clientWidth, height: box.clientHeight })).observe(box);
		matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#plot.redraw());
	}

	/** @param values one for each line; null leaves a gap */
	add(values: Column): void {
		this.#times.push(now());
		while (this.#times[0]! < now() - SPAN - 2) {
			this.#times.shift();
			for (const column of this.#columns) column.shift();
		}
		for (const [i, value] of values.entries()) {
			this.#columns[i]!.push(value);
			this.#outputs[i]!.textContent = value === null ? '–' : this.#words(value);
		}
		this.#plot.setData(this.#data());
	}

	#data(): uPlot.AlignedData {
		return [this.#times, ...this.#columns];
	}
}

/** Seconds. */
function now(): number {
	return performance.now() / 1_000;
}
