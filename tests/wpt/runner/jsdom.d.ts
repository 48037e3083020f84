/** Of jsdom, what the runner uses. */
declare module 'jsdom' {
	export type DOMWindow = Window & typeof globalThis;
	export class VirtualConsole {
		forwardTo(console: Console, options: { jsdomErrors: 'none' }): this;
	}
	export class JSDOM {
		readonly window: DOMWindow;
		constructor(html: string, options: { url: string; runScripts: 'outside-only' });
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
