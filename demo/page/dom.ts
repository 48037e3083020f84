/** The element of index.html with this id. */
export function element<T extends HTMLElement = HTMLElement>(id: string, type?: new () => T): T {
	const found = document.getElementById(id);
	if (!(found instanceof (type ?? HTMLElement))) throw new Error(`index.html has no ${type?.name ?? 'element'} #${id}`);
	return found as T;
}

/** A part of an element, by selector. */
export function part<T extends HTMLElement = HTMLElement>(of: ParentNode, selector: string): T {
	const found = of.querySelector<T>(selector);
	if (!found) throw new Error(`index.html has no ${selector}`);
	return found;
}

/** A copy of a template's element. */
export function copyOf(id: string): HTMLElement {
	const { content } = element(id, HTMLTemplateElement);
	return content.firstElementChild!.cloneNode(true) as HTMLElement;
}
