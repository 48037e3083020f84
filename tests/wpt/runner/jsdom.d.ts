/** Of jsdom, what the runner uses. */
declare module 'jsdom' {
	export type DOMWindow = Window & typeof globalThis;
	export class VirtualConsole {
		forwardTo(console: Console, options: { jsdomErrors: 'none' }): this;
	}
	// biome-ignore lint/complexity/noStaticOnlyClass: jsdom has more than that
	export class JSDOM {
		static fromURL(
			url: string,
			options: {
				runScripts: 'dangerously';
				resources: 'usable';
				pretendToBeVisual: boolean;
				virtualConsole: VirtualConsole;
				beforeParse(window: DOMWindow): void;
			},
		): Promise<JSDOM>;
	}
}
