'use strict';
// Runs a file of this project with a Node that can: `node scripts/run.cjs file.ts …`.
// In old JavaScript, since any Node must be able to read it.

var childProcess = require('child_process');
var path = require('path');
var os = require('os');

// The first that runs erasable TypeScript without a flag.
var NEEDED = [22, 18];

function isNewEnough(version) {
	var parts = version.split('.').map(Number);
	return parts[0] > NEEDED[0] || (parts[0] === NEEDED[0] && parts[1] >= NEEDED[1]);
}

// The binary of the `node-<platform>` package: npm 10 installs it without linking it into .bin.
function packagedNode() {
	var name = 'node-' + (process.platform === 'win32' ? 'win' : process.platform) + '-' + process.arch;
	try {
		var root = path.dirname(require.resolve(name + '/package.json'));
		return path.join(root, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
	} catch (_error) {
		return null;
	}
}

function findNode() {
	if (process.versions.bun || process.versions.deno) return process.execPath;
	return isNewEnough(process.versions.node) ? process.execPath : packagedNode();
}

function run(args) {
	var node = findNode();
	if (!node) {
		console.error('Node >= ' + NEEDED.join('.') + ' is needed; this is ' + process.versions.node + '. Install it from https://nodejs.org, or let npm install optional dependencies.');
		process.exit(1);
	}
	if (args.length === 0) {
		console.error('usage: node scripts/run.cjs <file> [argument …]');
		process.exit(2);
	}

	// First in PATH, so that what the file spawns as `node` is this one too.
	var env = Object.assign({}, process.env);
	var key = Object.keys(env).filter(function (name) { return name.toUpperCase() === 'PATH'; })[0] || 'PATH';
	env[key] = path.dirname(node) + path.delimiter + (env[key] || '');

	var child = childProcess.spawn(node, args, { stdio: 'inherit', env: env });
	child.on('error', function (error) {
		console.error('cannot start ' + node + ': ' + error.message);
		process.exit(1);
	});
	// A terminal's Ctrl-C reaches both; this one only waits, so that the child decides how to end.
	['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'].forEach(function (signal) {
		if (!os.constants.signals[signal]) return;
		process.on(signal, function () { child.kill(signal); });
	});
	child.on('exit', function (code, signal) {
		if (!signal) process.exit(code);
		// Ends as the child did, so that a shell sees the same.
		process.removeAllListeners(signal);
		process.kill(process.pid, signal);
	});
}

run(process.argv.slice(2));
