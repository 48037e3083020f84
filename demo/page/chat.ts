import { element, part } from './dom.ts';

/** Lines kept; what is older goes. */
const LINES = 300;
/** Characters of a line that are shown. */
const LONGEST = 4_000;

/** The chat's lines. Text is set as text: what a peer says is never markup. */
export class Chat {
	/** What to do with what the person writes. */
	onsay: ((text: string) => void) | null = null;
	readonly #lines = element('lines');
	readonly #form = element('say', HTMLFormElement);
	readonly #line = element('line', HTMLInputElement);

	constructor() {
		this.#form.addEventListener('submit', (event) => {
			event.preventDefault();
			const text = this.#line.value;
			if (text === '' || !this.onsay) return;
			this.#line.value = '';
			this.onsay(text);
		});
	}

	set enabled(enabled: boolean) {
		for (const control of this.#form.querySelectorAll<HTMLInputElement>('input, button')) control.disabled = !enabled;
	}

	focus(): void {
		this.#line.focus({ preventScroll: true });
	}

	addLine(from: string, text: string, own = false): HTMLElement {
		const item = document.createElement('li');
		item.className = own ? 'said own' : 'said';
		const cut = text.length > LONGEST ? `${text.slice(0, LONGEST)}… (${text.length} characters)` : text;
		item.append(span('from', from), span('text', cut));
		return this.add(item);
	}

	/** A remark of the page itself. */
	addNote(text: string): void {
		const item = document.createElement('li');
		item.className = 'note';
		item.textContent = text;
		this.add(item);
	}

	/** Marks a line as received whole by a peer. */
	addReceipt(item: HTMLElement, by: string): void {
		let receipts = item.querySelector('.receipts');
		if (!receipts) {
			receipts = span('receipts', '');
			this.#follow(() => item.append(receipts!));
		}
		receipts.textContent = receipts.textContent ? `${receipts.textContent}, ${by}` : `✓ ${by}`;
	}

	add(item: HTMLElement): HTMLElement {
		this.#follow(() => this.#lines.append(item));
		while (this.#lines.childElementCount > LINES) this.#lines.firstElementChild!.remove();
		return item;
	}

	/** Keeps the newest in sight, unless the person has scrolled up to read. */
	#follow(change: () => void): void {
		const { scrollHeight, scrollTop, clientHeight } = this.#lines;
		const atEnd = scrollHeight - scrollTop - clientHeight < 40;
		change();
		if (atEnd) this.#lines.scrollTop = this.#lines.scrollHeight;
	}
}

/** A file on its way, in the chat. */
export class FileCard {
	readonly item: HTMLElement;
	readonly #bar: HTMLProgressElement;
	readonly #outcome: HTMLElement;
	readonly #cancel: HTMLButtonElement;

	constructor(item: HTMLElement, from: string, name: string, size: string, own: boolean) {
		this.item = item;
		item.classList.toggle('own', own);
		this.#bar = part<HTMLProgressElement>(item, 'progress');
		this.#outcome = part(item, '.outcome');
		this.#cancel = part<HTMLButtonElement>(item, '.cancel');
		part(item, '.from').textContent = from;
		part(item, '.name').textContent = name;
		part(item, '.size').textContent = size;
		this.#bar.setAttribute('aria-label', name);
		this.#cancel.hidden = true;
	}

	onCancel(cancel: () => void): void {
		this.#cancel.hidden = false;
		this.#cancel.addEventListener('click', cancel, { once: true });
	}

	/** @param share 0 to 1 */
	progress(share: number, words: string): void {
		this.#bar.value = share;
		this.#outcome.textContent = words;
	}

	/** Nothing more happens to it. */
	end(good: boolean, words: string): void {
		this.item.dataset.outcome = good ? 'good' : 'bad';
		this.#cancel.hidden = true;
		this.#outcome.textContent = words;
		if (good) this.#bar.value = 1;
	}

	/** Offers it to be saved; what was offered before is let go with `forget`. */
	offer(name: string, content: Blob): () => void {
		const link = document.createElement('a');
		link.className = 'save';
		link.href = URL.createObjectURL(content);
		link.download = name;
		link.textContent = 'Save';
		this.#cancel.replaceWith(link);
		return () => {
			URL.revokeObjectURL(link.href);
			link.remove();
			this.#outcome.textContent += ' No longer kept here.';
		};
	}
}

function span(className: string, text: string): HTMLElement {
	const element = document.createElement('span');
	element.className = className;
	element.textContent = text;
	return element;
}
