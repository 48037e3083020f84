import { tryCases } from './cases.ts';

Object.assign(globalThis, { tryCases: () => tryCases({ VideoFrame, AudioData }) });
