/** What peers whose library is not quite the W3C's do alike with channels: what came, what is open, a flood. */
import { createHash } from 'node:crypto';
import type { Asks, Message, Report } from '../driver/protocol.ts';

/** Bytes in a channel's buffer past which a flood waits; half of them let it go on. */
const HIGH = 1 << 20;

/** A channel in its library's own terms. */
export interface Channel {
	readonly state: () => string;
	readonly send: (data: string | Buffer) => void;
	readonly buffered: () => number;
}

export class DataChannels {
	readonly #channels = new Map<string, Channel>();
	readonly #messages: Message[] = [];
	readonly #flood = { count: 0, bytes: 0 };

	add(label: string, channel: Channel): void {
		this.#channels.set(label, channel);
	}

	received(label: string, data: string | Buffer): void {
		const bytes = Buffer.from(data as string);
		if (label === 'flood') {
			this.#flood.count++;
			this.#flood.bytes += bytes.length;
			return;
		}
		const digest = createHash('sha256').update(bytes).digest('hex');
		this.#messages.push({ label, type: typeof data === 'string' ? 'text' : 'binary', bytes: bytes.length, digest });
	}

	async send({ label, text, base64 }: Asks['send']['in']): Promise<object> {
		this.#channels.get(label)!.send(text ?? Buffer.from(base64!, 'base64'));
		return {};
	}

	async flood({ label, count, bytes }: Asks['flood']['in']): Promise<object> {
		const channel = this.#channels.get(label)!;
		const message = Buffer.alloc(bytes);
		for (let sent = 0; sent < count; sent++) {
			while (channel.buffered() > HIGH) await new Promise((resolve) => setTimeout(resolve, 1));
			channel.send(message);
		}
		return {};
	}

	report(): Pick<Report, 'channels' | 'messages' | 'flood'> {
		const channels = Object.fromEntries([...this.#channels].map(([label, channel]) => [label, channel.state()]));
		return { channels, messages: this.#messages, flood: this.#flood };
	}
}
