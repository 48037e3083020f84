/** Runs a piece of JavaScript as a program of its own, in this package. */

import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../../..');

export interface Ended {
	code: number | null;
	stdout: string;
	stderr: string;
	/** Milliseconds from the line `end` of its output, or from its start, to its exit. */
	lasted: number;
}

export interface Running {
	child: ChildProcess;
	ended: Promise<Ended>;
	/** Resolves when it has printed `line`. */
	said(line: string): Promise<void>;
}

export function start(code: string, env: NodeJS.ProcessEnv = {}): Running {
	const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
		cwd: root,
		env: { ...process.env, ...env },
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	let stdout = '';
	let stderr = '';
	let since = performance.now();
	const waiting = new Map<string, () => void>();
	child.stdout.setEncoding('utf8').on('data', (text: string) => {
		stdout += text;
		if (/^end$/m.test(text)) since = performance.now();
		for (const [line, resolve] of waiting) {
			if (stdout.split('\n').includes(line)) resolve();
		}
	});
	child.stderr.setEncoding('utf8').on('data', (text: string) => {
		stderr += text;
	});
	const ended = new Promise<Ended>((resolve) => {
		child.on('close', (code) => resolve({ code, stdout, stderr, lasted: performance.now() - since }));
	});
	const said = (line: string) => new Promise<void>((resolve) => waiting.set(line, resolve));
	return { child, ended, said };
}

export function runScript(code: string, env: NodeJS.ProcessEnv = {}): Promise<Ended> {
	return start(code, env).ended;
}

/** Two peers of one program, and a channel between them, open at both ends: `alice`, `bob`, `channel`. */
export const CONNECT = `
	const alice = new RTCPeerConnection();
	const bob = new RTCPeerConnection();
	alice.onicecandidate = ({ candidate }) => bob.addIceCandidate(candidate);
	bob.onicecandidate = ({ candidate }) => alice.addIceCandidate(candidate);
	const channel = alice.createDataChannel('chat');
	const opened = new Promise((resolve) => { channel.onopen = resolve; });
	const other = new Promise((resolve) => { bob.ondatachannel = (event) => resolve(event.channel); });
	await alice.setLocalDescription();
	await bob.setRemoteDescription(alice.localDescription);
	await bob.setLocalDescription();
	await alice.setRemoteDescription(bob.localDescription);
	await opened;
	await other;
`;
