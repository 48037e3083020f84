/** Arithmetic of directions: each is whether we send and whether we receive. */

import type { Direction } from './description.ts';

export const sends = (direction: Direction): boolean => direction === 'sendrecv' || direction === 'sendonly';
export const receives = (direction: Direction): boolean => direction === 'sendrecv' || direction === 'recvonly';

const direction = (send: boolean, receive: boolean): Direction => {
	if (send) return receive ? 'sendrecv' : 'sendonly';
	return receive ? 'recvonly' : 'inactive';
};

/** The same section as the other side sees it. */
export const reverseDirection = (d: Direction): Direction => direction(receives(d), sends(d));

/** What both allow; both as one side sees them. */
export const intersectDirections = (a: Direction, b: Direction): Direction =>
	direction(sends(a) && sends(b), receives(a) && receives(b));

export const withSend = (d: Direction, send: boolean): Direction => direction(send, receives(d));
export const withReceive = (d: Direction, receive: boolean): Direction => direction(sends(d), receive);
