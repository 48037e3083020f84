/** Replaces a page's WebRTC by the shim's, as its script does, and looks into the worker for the test. */
import { installGlobals } from '../../../entries/installGlobals.ts';
import { Sessions } from '../../../entries/sessions.ts';
import { defaultShim } from '../../../entries/shim.ts';

export interface BridgedGlobals {
	/** Of the bridge, set by the test. */
	AIORTC_SHIM_URL: string;
	AIORTC_SHIM_TOKEN: string;
	/** The worker's objects, by type. */
	dump(): Promise<Record<string, number>>;
}

const page = globalThis as unknown as BridgedGlobals;
const sessions = new Sessions({
	connect: () => ({ url: page.AIORTC_SHIM_URL, token: page.AIORTC_SHIM_TOKEN }),
	client: 'test',
});

installGlobals(globalThis, defaultShim(sessions), { keepDevices: true });

page.dump = async () => (await sessions.session().root.call('dump', {})).objects;
