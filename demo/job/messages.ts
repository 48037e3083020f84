/** What the main job asks of its bots over the processes' channel, and what they answer. */

export interface Published {
	producerId: string;
	mimeType: string;
}

export interface PictureSeen {
	mimeType: string;
	width: number;
	height: number;
	frames: number;
	/** From the first frame read to the last. */
	seconds: number;
	/** Frames that carried the code asked for. */
	right: number;
	/** Frames whose counter was another than the last one's: a picture that stands still has one. */
	moving: number;
}

export interface ToneHeard {
	mimeType: string;
	seconds: number;
	/** Of the strongest tone, in Hz. */
	frequency: number;
	/** How much of the sound's energy is at the frequency asked for, in the middle one of its tenths of a second: 0 to 1. */
	share: number;
}

export interface Exchanged {
	text: number;
	binary: number;
	bytes: number;
	largest: number;
	/** Messages that the listener confirmed with the digest that we had computed. */
	confirmed: number;
}

export interface Commands {
	/** What the bot is, once it publishes. */
	introduce: [Record<string, never>, { handlerName: string; audio: Published; video: Published }];
	/** Ends the bot's picture and begins it anew with another codec. */
	switchCodec: [{ codec: string }, Published];
	watch: [{ producerId: string; code: number; frames: number }, PictureSeen];
	listen: [{ producerId: string; frequency: number; seconds: number }, ToneHeard];
	/** Sends messages of all sizes and waits for their receipts. */
	exchange: [{ listener: string }, Exchanged];
}

export type CommandName = keyof Commands;
export type Command<N extends CommandName = CommandName> = { id: number; name: N; asked: Commands[N][0] };
export type Outcome = { id: number } & ({ result: unknown } | { error: string });
