'use strict';
// Runs a file of this project with a Node that can: `node scripts/run.cjs file.ts …`.
// In JavaScript of 2015, since any Node must be able to read it, if only to be told that it is too old.

// biome-ignore lint/style/useNodejsImportProtocol: a Node before 14.18 does not know the prefix
const childProcess = require('child_process');
// biome-ignore lint/style/useNodejsImportProtocol: as above
const path = require('path');

// The first that runs erasable TypeScript without a flag.
const NEEDED = [22, 18];

// Signals that a terminal sends to every process of its foreground group: the child has had them already.
const FROM_TERMINAL = ['SIGINT', 'SIGQUIT', 'SIGHUP'];

// npm passes SIGTERM on to its shell alone, which ends without a word to us: its end is the signal then.
const SHELL_POLL_MS = 250;

function isNewEnough(version) {
	const parts = version.split('.').map(Number);
	return parts[0] > NEEDED[0] || (parts[0] === NEEDED[0] && parts[1] >= NEEDED[1]);
}

/** The binary of the `node-<platform>` package: npm 10 installs that without linking it into .bin. */
function packagedNode() {
	const system = process.platform === 'win32' ? 'win' : process.platform;
	try {
		const root = path.dirname(require.resolve(`node-${system}-${process.arch}/package.json`));
		return path.join(root, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
	} catch (_error) {
		return null;
	}
}

/** The environment, with `node` first in PATH, so that what the file spawns as `node` is this one too. */
function environment(node) {
	const env = Object.assign({}, process.env);
	const key = Object.keys(env).find((name) => name.toUpperCase() === 'PATH') || 'PATH';
	env[key] = path.dirname(node) + (env[key] ? path.delimiter + env[key] : '');
	return env;
}

/** Runs `node` with `args` as if it were this process: its files, its signals, its end. */
function become(node, args) {
	const child = childProcess.spawn(node, args, { stdio: 'inherit', env: environment(node) });
	child.on('error', (error) => {
		console.error(`cannot start ${node}: ${error.message}`);
		process.exit(1);
	});
	for (const signal of ['SIGTERM'].concat(FROM_TERMINAL)) {
		process.on(signal, () => {
			if (!(process.stdin.isTTY && FROM_TERMINAL.indexOf(signal) >= 0)) child.kill(signal);
		});
	}
	if (process.env.npm_lifecycle_event) onShellGone(() => child.kill('SIGTERM'));
	child.on('exit', (code, signal) => {
		if (!signal) process.exit(code);
		process.removeAllListeners(signal);
		process.kill(process.pid, signal);
	});
}

/** Calls once when the process that started this one is gone (Windows never says so). */
function onShellGone(callback) {
	const shell = process.ppid;
	const timer = setInterval(() => {
		if (process.ppid === shell) return;
		clearInterval(timer);
		callback();
	}, SHELL_POLL_MS);
}

function main(args) {
	const version = process.versions.node;
	const node = isNewEnough(version) ? process.execPath : packagedNode();
	if (!node) {
		console.error(
			`Node >= ${NEEDED.join('.')} is needed and this is ${version}: install it from https://nodejs.org, or run npm install without --omit=optional.`,
		);
		process.exit(1);
	}
	if (args.length === 0) {
		console.error('usage: node scripts/run.cjs <file> [argument …]');
		process.exit(2);
	}
	become(node, args);
}

main(process.argv.slice(2));
