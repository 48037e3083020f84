import { until } from '../../../demo/job/until.ts';
import type { Receipt } from '../../../demo/receipts.ts';
import { contextOf } from '../../../shim/rpc/context.ts';
import { hears, picture, sees, stopTracks, tone } from '../contract/media.ts';
import { eventually } from '../eventually.ts';
import type { Call } from './Call.ts';
import { type Media, PATIENCE, type Side } from './Side.ts';

/** An end in this process, over the shim. */
export class NodeSide<C extends Call = Call> implements Side {
	readonly call: C;
	readonly sends: Media;

	constructor(call: C, sends: Media) {
		this.call = call;
		this.sends = sends;
	}

	async perceives({ code, tone }: Media): Promise<void> {
		const { remote } = this.call;
		const track = (kind: string) => until(() => remote.get(kind), PATIENCE, `a track of ${kind}`);
		await Promise.all([sees(await track('video'), code), hears(await track('audio'), tone)]);
	}

	say(sizes: readonly number[]): Promise<Receipt[]> {
		return this.call.say(sizes);
	}

	async received(count: number): Promise<Receipt[]> {
		const { received } = this.call;
		return until(() => (received.length >= count ? received : undefined), PATIENCE, `${count} messages`);
	}

	async close(): Promise<void> {
		this.call.close();
	}

	async closed(): Promise<void> {
		let timer: NodeJS.Timeout | undefined;
		const late = new Promise<never>((_, reject) => {
			timer = setTimeout(() => reject(new Error(`the call was not over in ${PATIENCE / 1_000} s`)), PATIENCE);
		});
		await Promise.race([this.call.closed, late]).finally(() => clearTimeout(timer));
	}

	async errors(): Promise<string[]> {
		return this.call.errors;
	}
}

/** A stream of this process that an end sends; ended by `nothingIsLeft`, or stopTracks() of contract/media.ts. */
export async function streamOf(media: Media): Promise<MediaStream> {
	return new MediaStream([await picture(media.code), await tone(media.tone)]);
}

/** Stops the tracks, and waits until the worker has no object of any call any more. */
export async function nothingIsLeft(): Promise<void> {
	stopTracks();
	const { root } = contextOf(RTCPeerConnection).session();
	let alive = '';
	const look = async (): Promise<true | null> => {
		const { objects } = await root.call('dump', {});
		alive = JSON.stringify(objects);
		return alive === '{}' || null;
	};
	await eventually(look, PATIENCE, 'the worker to be empty').catch((error: Error) => {
		throw new Error(`${error.message}; alive are ${alive}`);
	});
}
