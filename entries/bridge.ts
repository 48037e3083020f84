/** `import … from 'aiortc-shim/bridge'`: the bridge, for those who run one themselves. */

import '../bridge/requireNode.ts';

export { type Access, CAPABILITIES, DEFAULT_LIMITS, type Limits } from '../bridge/limits.ts';
export type { Network } from '../bridge/network.ts';
export { ensurePython, SetupError } from '../bridge/python.ts';
export { type Bridge, type BridgeOptions, type Isolation, startBridge } from '../bridge/server.ts';
export { WorkerStartError } from '../bridge/workerErrors.ts';
