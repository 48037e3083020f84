import { domString } from '../webidl/convert.ts';
import { defineInterface, requireArguments } from '../webidl/interface.ts';

/**
 * No source meets a required constraint.
 * @see https://www.w3.org/TR/mediacapture-streams/#overconstrainederror-interface
 */
export class OverconstrainedError extends DOMException {
	readonly #constraint: string;

	constructor(constraint: string, message = '') {
		requireArguments(arguments.length, 1, 'OverconstrainedError');
		super(domString(message, 'message'), 'OverconstrainedError');
		this.#constraint = domString(constraint, 'constraint');
	}

	/** The name of the constraint; empty when that would tell too much. */
	get constraint(): string {
		return this.#constraint;
	}
}

defineInterface(OverconstrainedError);
