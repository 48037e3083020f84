/** Measures of a page's look; each function runs in the page. */

/** Texts whose contrast is below WCAG's 4.5 (3 where they are large); controls that are off and the inert apart. */
export function contrastFaults(): string[] {
	const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true })!;
	const faults: string[] = [];
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let node = walker.nextNode(); node; node = walker.nextNode()) {
		const element = node.parentElement!;
		const text = node.textContent!.trim();
		if (!text || !element.checkVisibility({ visibilityProperty: true })) continue;
		if (element.closest(':disabled, [inert], video, canvas, template, #tiles')) continue;
		const { color, fontSize, fontWeight } = getComputedStyle(element);
		const size = Number.parseFloat(fontSize);
		const large = size >= 24 || (size >= 18.5 && Number(fontWeight) >= 700);
		const ratio = contrast(paint([...grounds(element), color]), paint(grounds(element)));
		if (ratio < (large ? 3 : 4.5)) faults.push(`${text.slice(0, 40)}: ${ratio.toFixed(2)}`);
	}
	return faults;

	/** The backgrounds under an element, the lowest first. */
	function grounds(element: Element): string[] {
		const all: string[] = [];
		for (let at: Element | null = element; at; at = at.parentElement) all.unshift(getComputedStyle(at).backgroundColor);
		return ['white', ...all];
	}

	/** The colour that several make over each other. */
	function paint(colours: readonly string[]): [number, number, number] {
		for (const colour of colours) {
			canvas.fillStyle = colour;
			canvas.fillRect(0, 0, 1, 1);
		}
		const [red, green, blue] = canvas.getImageData(0, 0, 1, 1).data;
		return [red!, green!, blue!];
	}

	function contrast(one: [number, number, number], other: [number, number, number]): number {
		const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
		return (light + 0.05) / (dark + 0.05);
	}

	function luminance(colour: [number, number, number]): number {
		const [red, green, blue] = colour.map((value) => {
			const share = value / 255;
			return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
		}) as [number, number, number];
		return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
	}
}

/** Adds up from now on how much of the page moves without anybody having done something. */
export function watchLayout(): void {
	const page = globalThis as { shifts?: number };
	page.shifts = 0;
	new PerformanceObserver((list) => {
		for (const entry of list.getEntries()) page.shifts! += (entry as unknown as { value: number }).value;
	}).observe({ type: 'layout-shift' });
}

/** As Cumulative Layout Shift counts it: 1 is the whole window by its whole height. */
export function layoutShifts(): number {
	return (globalThis as { shifts?: number }).shifts!;
}
