import type { Standing } from '../Path.ts';
import { element } from './dom.ts';

/** How this page stands with the room. */
export type State = 'out' | 'joining' | 'left' | Exclude<Standing, 'new'>;

/** In the page's head. */
const SHORT: Record<State, string> = {
	out: 'Not in the room',
	joining: 'Joining…',
	connecting: 'Connecting…',
	connected: 'Connected',
	interrupted: 'Interrupted',
	recovering: 'Restoring…',
	lost: 'Connection lost',
	left: 'Not in the room',
};

/** Over the room, where a person looks and may have to wait. */
const LONG: Partial<Record<State, string>> = {
	connecting: 'Connecting to the SFU…',
	interrupted: 'The connection to the SFU is interrupted. It may come back by itself.',
	recovering: 'The connection to the SFU is interrupted. It is being restored…',
};

/** Says how the page stands, in words and in the page's look. */
export function showState(state: State): void {
	const status = element('status');
	status.dataset.state = state;
	status.textContent = SHORT[state];
	const room = element('room');
	room.dataset.state = state;
	const notice = element('notice');
	notice.textContent = LONG[state] ?? '';
	notice.hidden = !LONG[state];
}
