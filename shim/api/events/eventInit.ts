import { boolean, defaulted } from '../../webidl/convert.ts';

/** The members of EventInit, which the dictionaries of our events inherit. */
export const eventInit = {
	bubbles: defaulted(boolean, () => false),
	cancelable: defaulted(boolean, () => false),
	composed: defaulted(boolean, () => false),
};
