/** A DOMRectReadOnly, for hosts that have none. */
class FrameRect implements DOMRectReadOnly {
	readonly x: number;
	readonly y: number;
	readonly width: number;
	readonly height: number;

	constructor(x: number, y: number, width: number, height: number) {
		this.x = x;
		this.y = y;
		this.width = width;
		this.height = height;
	}

	get top(): number {
		return Math.min(this.y, this.y + this.height);
	}

	get right(): number {
		return Math.max(this.x, this.x + this.width);
	}

	get bottom(): number {
		return Math.max(this.y, this.y + this.height);
	}

	get left(): number {
		return Math.min(this.x, this.x + this.width);
	}

	toJSON(): Record<string, number> {
		const { x, y, width, height, top, right, bottom, left } = this;
		return { x, y, width, height, top, right, bottom, left };
	}
}

/** A rectangle as the host has them, or of the same members. */
export function domRect({ x, y, width, height }: DOMRectReadOnly | Required<DOMRectInit>): DOMRectReadOnly {
	const Class = globalThis.DOMRectReadOnly ?? FrameRect;
	return new Class(x, y, width, height);
}
