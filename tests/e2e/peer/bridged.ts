/** Replaces a page's WebRTC by the shim's, as its script does, and looks into the worker for the test. */
import { installGlobals } from '../../../entries/installGlobals.ts';
import { openSessions } from '../../../entries/pageSessions.ts';
import { defaultShim } from '../../../entries/shim.ts';

export interface BridgedGlobals {
	/** Of the bridge, set by the test. */
	AIORTC_SHIM_URL: string;
	AIORTC_SHIM_TOKEN: string;
	/** The worker's objects, by type. */
	dump(): Promise<Record<string, number>>;
}

const page = globalThis as unknown as BridgedGlobals;
const sessions = openSessions({});

installGlobals(globalThis, defaultShim(sessions), { keepDevices: true });

page.dump = async () => (await sessions.session().root.call('dump', {})).objects;
