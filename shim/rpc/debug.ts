import { type Frame, parseRecords, RecordKind } from '../link/frames.ts';

/** A frame as a line for a person: text as it is, cut at 500 characters; records by kind, object and size. */
export function describeFrame(frame: Frame): string {
	if (typeof frame === 'string') return frame.length <= 500 ? frame : `${frame.slice(0, 500)}… (${frame.length})`;
	return parseRecords(frame).map(describeRecord).join(', ');
}

function describeRecord({ kind, flags, object, payload }: ReturnType<typeof parseRecords>[number]): string {
	const name = Object.entries(RecordKind).find(([, value]) => value === kind)?.[0] ?? kind;
	const what =
		kind === RecordKind.credit
			? new DataView(payload.buffer, payload.byteOffset).getUint32(0)
			: `${payload.byteLength} bytes`;
	return `[${name} on ${object}, flags ${flags}: ${what}]`;
}
