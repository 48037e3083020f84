import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const root = join(import.meta.dirname, '../..');

test("the README's first example prints what it says and ends by itself", async () => {
	const readme = readFileSync(join(root, 'README.md'), 'utf8');
	const example = /```js\n(import 'aiortc-shim\/global';[\s\S]*?)```/.exec(readme)?.[1];
	const promised = /It prints `([^`]+)`/.exec(readme)?.[1];
	assert.ok(example && promised);

	const child = spawn(process.execPath, ['--input-type=module', '-e', example], {
		cwd: root,
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	child.stdout.setEncoding('utf8');
	let printed = '';
	child.stdout.on('data', (chunk: string) => {
		printed += chunk;
	});
	const code = await new Promise((resolve) => child.on('close', resolve));
	assert.is(printed, `${promised}\n`);
	assert.is(code, 0);
});

test.run();
