import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const root = join(import.meta.dirname, '../..');

type Rule = [verdict: 'may' | 'may not', folder: string, from: string];
const rules: Rule[] = [
	['may', 'shim/api', '../jsep/index.ts'],
	['may', 'shim/api', '../media/index.ts'],
	['may', 'shim/api', '../rpc/Session.ts'],
	['may', 'shim/media', '../rpc/Session.ts'],
	['may', 'shim/rpc', '../link/Link.ts'],
	['may', 'bridge', '../shim/link/frames.ts'],
	['may', 'entries', '../bridge/embedded.ts'],
	['may not', 'shim/link', '../rpc/Session.ts'],
	['may not', 'shim/rpc', '../api/index.ts'],
	['may not', 'shim/rpc', '../jsep/index.ts'],
	['may not', 'shim/jsep', '../rpc/Session.ts'],
	['may not', 'shim/media', '../api/index.ts'],
	['may not', 'shim/media', '../jsep/index.ts'],
	['may not', 'shim/api', '../link/Link.ts'],
	...['link', 'rpc', 'jsep', 'media', 'api'].flatMap((layer): Rule[] => [
		['may not', `shim/${layer}`, '../../bridge/server.ts'],
		['may not', `shim/${layer}`, '../../entries/node.ts'],
		['may not', `shim/${layer}`, 'node:net'],
		['may not', `shim/${layer}`, 'fs'],
	]),
	['may not', 'bridge', '../shim/api/index.ts'],
	['may not', 'bridge', '../entries/node.ts'],
];

const refused = new Set<string>();

// One run of the linter over a probe for each rule, in a folder of its own with this project's configuration.
test.before(() => {
	const folder = mkdtempSync(join(tmpdir(), 'aiortc-shim-layers-'));
	try {
		const configuration = JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8'));
		writeFileSync(join(folder, 'biome.json'), JSON.stringify({ ...configuration, vcs: { enabled: false } }));
		for (const [index, [, layer, from]] of rules.entries()) {
			mkdirSync(join(folder, layer), { recursive: true });
			writeFileSync(join(folder, layer, `probe${index}.ts`), `import { probe } from '${from}';\nprobe();\n`);
		}
		const { stdout } = spawnSync(
			join(root, 'node_modules/.bin/biome'),
			['lint', '--reporter=github', '--max-diagnostics=none', '.'],
			{ cwd: folder, encoding: 'utf8' },
		);
		for (const [, rule, index] of stdout.matchAll(/title=lint\/\w+\/(\w+),file=\S*?probe(\d+)\.ts/g)) {
			if (rule === 'noRestrictedImports' || rule === 'noNodejsModules') refused.add(index!);
		}
	} finally {
		rmSync(folder, { recursive: true });
	}
});

for (const [index, [verdict, folder, from]] of rules.entries()) {
	test(`${folder} ${verdict} import ${from}`, () => assert.is(refused.has(String(index)), verdict === 'may not'));
}

test.run();
