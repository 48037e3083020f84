import * as assert from 'uvu/assert';
import type { Receipt } from '../../../demo/receipts.ts';

/** Milliseconds in which what is waited for must come, on a busy machine. */
export const PATIENCE = 30_000;

/** Bytes of messages; even, as half of them are of two-byte characters. */
export const SIZES = [2, 1_000, 20_000, 100_000];

/** What an end sends: the number burnt into its picture, and its tone in Hz. */
export interface Media {
	code: number;
	tone: number;
}

/** What a test asks of one end of a call. */
export interface Side {
	readonly sends: Media;
	/** Resolves when it sees and hears the other end's picture and tone. */
	perceives(media: Media): Promise<void>;
	say(sizes: readonly number[]): Promise<Receipt[]>;
	/** Everything that came, once that is `count` messages. */
	received(count: number): Promise<Receipt[]>;
	close(): Promise<void>;
	/** Resolves when the library says that the call is over. */
	closed(): Promise<void>;
	/** What the library complained of. */
	errors(): Promise<string[]>;
}

/** Pictures, tones and messages go both ways. */
export async function converse(a: Side, b: Side): Promise<void> {
	await Promise.all([a.perceives(b.sends), b.perceives(a.sends)]);
	const [said, answered] = await Promise.all([a.say(SIZES), b.say(SIZES)]);
	assert.equal(await b.received(said.length), said);
	assert.equal(await a.received(answered.length), answered);
}

/**
 * One hangs up, and the other notices. Nobody has complained, but of the association's abort, which is an error of the
 * other's channel when it comes before the channel is closed, in browsers too.
 */
export async function hangUp(who: Side, other: Side): Promise<void> {
	await who.close();
	await Promise.all([who.closed(), other.closed()]);
	assert.equal(await who.errors(), []);
	const complaints = (await other.errors()).filter((message) => !/abort/i.test(message));
	assert.equal(complaints, []);
}
