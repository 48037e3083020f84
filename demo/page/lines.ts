/** The chat's lines. Text is set as text: what a peer says is never markup. */

const lines = document.getElementById('lines')!;

export function addLine(from: string, text: string): HTMLElement {
	const name = document.createElement('span');
	name.className = 'from';
	name.textContent = from;
	return append(name, text);
}

/** A remark of the page itself. */
export function addNote(text: string): void {
	const note = document.createElement('span');
	note.className = 'note';
	note.textContent = text;
	append(note);
}

/** Marks a line as received whole by a peer. */
export function addReceipt(item: HTMLElement, by: string): void {
	let receipts = item.querySelector<HTMLElement>('.receipts');
	if (!receipts) {
		receipts = document.createElement('span');
		receipts.className = 'receipts';
		item.append(receipts);
	}
	receipts.textContent = receipts.textContent ? `${receipts.textContent}, ${by}` : `✓ ${by}`;
}

function append(...content: (Node | string)[]): HTMLElement {
	const item = document.createElement('li');
	item.append(...content);
	lines.append(item);
	item.scrollIntoView({ block: 'nearest' });
	return item;
}
