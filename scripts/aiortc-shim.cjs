#!/usr/bin/env node
'use strict';
// The command: the build's program where there is one, else the sources by a Node that runs them.

// biome-ignore lint/style/useNodejsImportProtocol: a Node before 14.18 does not know the prefix
const fs = require('fs');
// biome-ignore lint/style/useNodejsImportProtocol: as above
const path = require('path');

const built = path.join(__dirname, '..', 'lib', 'cli.cjs');

if (fs.existsSync(built)) {
	if (parseInt(process.versions.node, 10) < 20) {
		console.error(
			`aiortc-shim: Node >= 20 is needed, and this is ${process.versions.node}: install it from https://nodejs.org`,
		);
		process.exit(1);
	}
	require(built);
} else {
	process.argv.splice(2, 0, path.join(__dirname, '..', 'bridge', 'cli.ts'));
	require('./run.cjs');
}
