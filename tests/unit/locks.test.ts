/** The locks say exactly what is installed, and not from where. */
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const root = path.join(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');
const except = ['**/node_modules/**'];

for (const lock of globSync(['worker/*.lock', 'tests/**/requirements.lock'], { cwd: root, exclude: except })) {
	test(`${lock} pins every package by version and hash, for any index`, () => {
		const packages = read(lock)
			.replace(/\\\n/g, '')
			.split('\n')
			.filter((line) => /^\S/.test(line) && !line.startsWith('#'));
		assert.ok(packages.length > 1);
		const loose = packages.filter((line) => !/^[\w.-]+(\[[\w,]+\])?==\S+.*\s--hash=sha256:[0-9a-f]{64}/.test(line));
		assert.equal(loose, []);
	});
}

for (const lock of globSync('**/package-lock.json', { cwd: root, exclude: except })) {
	test(`${lock} has a digest for every package, and no address`, () => {
		assert.not.match(read(lock), /"resolved": "https?:/);
		const packages = Object.entries<{ integrity?: string; link?: boolean }>(JSON.parse(read(lock)).packages);
		const loose = packages.filter(([name, { integrity, link }]) => name !== '' && !link && !integrity);
		assert.equal(
			loose.map(([name]) => name),
			[],
		);
	});
}

test('direct dependencies are pinned exactly', () => {
	for (const file of globSync('**/package.json', { cwd: root, exclude: [...except, 'dist/**'] })) {
		const { dependencies, devDependencies, optionalDependencies } = JSON.parse(read(file));
		const versions = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies });
		assert.equal(
			versions.filter(([, version]) => !/^\d+\.\d+\.\d+/.test(String(version))),
			[],
			file,
		);
	}
});

test.run();
