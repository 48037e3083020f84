import { type Bridge, startBridge } from 'aiortc-shim/bridge';
import type { Endpoint } from './page/build.ts';

/** What the page's switch leads through: the bridge that the environment names, or one of ours, started at first use. */
export class PageBridge {
	#own: Promise<Bridge> | null = null;

	async endpoint(): Promise<Endpoint> {
		const { AIORTC_SHIM_URL: url, AIORTC_SHIM_TOKEN: token } = process.env;
		if (url && token) return { url, token };
		// A page may use what needs no capability: no files, devices or servers of this machine.
		this.#own ??= startBridge({ capabilities: [], spares: 0 });
		try {
			return await this.#own;
		} catch (error) {
			this.#own = null;
			throw error;
		}
	}

	async close(): Promise<void> {
		await (await this.#own)?.close();
	}
}
