import { element } from './dom.ts';

/** Takes files that are dropped anywhere on the page, or picked after a click on the button. */
export function takeFiles(onfiles: (files: File[]) => void): void {
	const picker = element('files', HTMLInputElement);
	const overlay = element('drop');
	element('attach').addEventListener('click', () => picker.click());
	picker.addEventListener('change', () => {
		onfiles([...(picker.files ?? [])]);
		// The same file may be picked again.
		picker.value = '';
	});
	// A drag enters and leaves every element on its way: it is over the page while it has entered more than it has left.
	let depth = 0;
	const show = (change: number) => {
		depth = Math.max(0, depth + change);
		overlay.hidden = depth === 0;
	};
	addEventListener('dragenter', (event) => hasFiles(event) && show(1));
	addEventListener('dragleave', (event) => hasFiles(event) && show(-1));
	addEventListener('dragover', (event) => hasFiles(event) && event.preventDefault());
	addEventListener('drop', (event) => {
		if (!hasFiles(event)) return;
		// A page left open would be replaced by the file.
		event.preventDefault();
		show(-depth);
		onfiles([...event.dataTransfer!.files]);
	});
}

function hasFiles({ dataTransfer }: DragEvent): boolean {
	return dataTransfer?.types.includes('Files') ?? false;
}
