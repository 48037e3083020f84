/**
 * Which header extensions a transceiver negotiates.
 * @see https://w3c.github.io/webrtc-extensions/#rtp-header-extension-control
 */

import { LOCAL_EXTENSIONS, MID } from './capabilities.ts';
import type { Direction, HeaderExtension, Kind, Section } from './description.ts';
import { intersectDirections, reverseDirection } from './direction.ts';
import type { Problem } from './errors.ts';

export interface HeaderExtensionControl {
	uri: string;
	direction: Direction | 'stopped';
}

/** All that a kind has. */
export function allExtensions(kind: Kind): HeaderExtensionControl[] {
	return LOCAL_EXTENSIONS[kind].map(({ uri }) => ({ uri, direction: 'sendrecv' }));
}

/**
 * What setHeaderExtensionsToNegotiate() checks; null when all is well.
 * @param known those that there are, in their order
 */
export function checkExtensions(
	wanted: readonly HeaderExtensionControl[],
	known: readonly HeaderExtensionControl[],
): Problem | null {
	const problem = (message: string): Problem => ({ name: 'InvalidModificationError', message });
	if (wanted.length !== known.length) return problem(`${wanted.length} header extensions; there are ${known.length}`);
	for (const [index, { uri, direction }] of wanted.entries()) {
		if (uri !== known[index]!.uri) return problem(`header extension ${index} is ${uri}; it is ${known[index]!.uri}`);
		// Without it nobody could tell to which section of a bundle a packet belongs.
		if (uri === MID && direction !== 'sendrecv') return problem(`${uri} is mandatory`);
	}
	return null;
}

/** Those of the offer that we have and want, by its ids, each in the direction that is left. */
export function answerExtensions(
	offered: readonly HeaderExtension[],
	wanted: readonly HeaderExtensionControl[],
): HeaderExtension[] {
	const left = new Map(wanted.map(({ uri, direction }) => [uri, direction]));
	return offered.flatMap(({ id, uri, direction }) => {
		const ours = left.get(uri);
		// Of two ids for one extension the first is taken.
		left.delete(uri);
		if (ours === undefined || ours === 'stopped') return [];
		const both = intersectDirections(ours, reverseDirection(direction ?? 'sendrecv'));
		return [both === 'sendrecv' && direction === undefined ? { id, uri } : { id, uri, direction: both }];
	});
}

/** What two sections agreed on. */
export function negotiatedExtensions(local: Section, remote: Section): HeaderExtensionControl[] {
	return local.headerExtensions.flatMap(({ uri, direction = 'sendrecv' }) => {
		const theirs = remote.headerExtensions.find((other) => other.uri === uri);
		if (!theirs) return [];
		return [{ uri, direction: intersectDirections(direction, reverseDirection(theirs.direction ?? 'sendrecv')) }];
	});
}
