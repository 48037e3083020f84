/** What a party asks of its bots, and what they answer. */
export interface Asks {
	/** Enters the room; answers when this many others are there with a picture. */
	join: { in: { url: string; number: number; others: number }; out: { ms: number } };
	/** Reads everybody's pictures for so many seconds. */
	watch: { in: { seconds: number }; out: Seen[] };
	/** What the worker has, and how much memory is used. */
	count: { in: object; out: Counts };
	/** Leaves the room and ends what was sent; the bot's process ends when it is disconnected. */
	leave: { in: object; out: object };
}

export type Ask = keyof Asks;

/** What one bot saw of another. */
export interface Seen {
	number: number;
	frames: number;
	/** Frames that carried the other's code. */
	right: number;
	/** Frames whose counter had moved. */
	moving: number;
	width: number;
}

export interface Counts {
	/** Objects of the session by type. */
	objects: Record<string, number>;
	tasks: number;
	/** Resident bytes of the bot's process and of its worker's. */
	bot: number;
	worker: number;
	/** Seconds of CPU that each has used. */
	botCpu: number;
	workerCpu: number;
}
