/** The first frame of each side; everything that a session is bounded by is said here. */

/** What a session may use of the worker's machine. */
export type Capability = 'file' | 'url' | 'device' | 'record' | 'ice' | 'private';

/** Which session a new socket takes up, and how many counted frames its shim had. */
export interface Resume {
	session: string;
	key: string;
	received: number;
}

/** The shim's first frame, within 5 s and 4 KiB: `{"hello": Hello}`. */
export interface Hello {
	version: number;
	token: string;
	/** For logs: `aiortc-shim/0.1.0 node/24.21.0`. */
	client: string;
	resume?: Resume;
}

export interface WorkerInfo {
	/** Version of aiortc. */
	aiortc: string;
	/** Media types that the worker encodes and decodes: `audio/opus`, `video/VP8`. */
	codecs: string[];
}

/** The bridge's answer: `{"hello": Welcome}`. */
export interface Welcome {
	version: number;
	session: string;
	/** What a resume must show, besides the token. */
	key: string;
	/** Counted frames of the shim that the bridge has passed on. */
	received: number;
	resumed: boolean;
	/** Whether others may have sessions there too. */
	shared: boolean;
	/** Bytes that may be unacknowledged in each direction. */
	window: number;
	/** Seconds for which the session outlives its socket. */
	graceSeconds: number;
	/** Seconds without an acknowledgement or a pong after which the shim pings. */
	heartbeatSeconds: number;
	capabilities: Capability[];
	limits: Record<string, number>;
	worker: WorkerInfo;
}

/** Bridge to worker, on the local socket: `{"hello": WorkerHello}`; answered by `{"hello": {version, worker: WorkerInfo}}`. */
export interface WorkerHello {
	version: number;
	session: string;
	capabilities: Capability[];
	limits: Record<string, number>;
	/** Where host candidates may be, and the addresses that stand in them for this machine's. */
	network: { udpPorts?: readonly [number, number]; announce?: readonly string[]; interfaces?: readonly string[] };
	window: number;
	/** Base64 of 32 bytes that the sessions of one token share and no shim knows: what a shim carries is sealed with it. */
	sealKey: string;
}

/** The worker's last frame when a session broke the protocol or a limit: the bridge closes the WebSocket with it. */
export interface WorkerClose {
	close: { code: number; reason: string };
}
