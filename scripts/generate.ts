/** Writes shim/rpc/schema.ts from the worker's structs; with `--check`, says whether it is current instead. */

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ensurePython } from '../bridge/python.ts';

const ROOT = new URL('../', import.meta.url);
const SCHEMA = fileURLToPath(new URL('shim/rpc/schema.ts', ROOT));
const WORKER = fileURLToPath(new URL('worker/', ROOT));
const BIOME = fileURLToPath(new URL('node_modules/@biomejs/biome/bin/biome', ROOT));

function run(command: string, args: string[], input = ''): string {
	const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: WORKER, input, encoding: 'utf8' });
	if (error || status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
	return stdout;
}

const python = await ensurePython();
const written = run(python, ['-m', 'aiortc_worker.schema']);
const schema = run(process.execPath, [BIOME, 'format', `--stdin-file-path=${SCHEMA}`], written);

if (!process.argv.includes('--check')) writeFileSync(SCHEMA, schema);
else if (readFileSync(SCHEMA, 'utf8') !== schema) {
	console.error('shim/rpc/schema.ts is stale: npm run generate');
	process.exitCode = 1;
}
