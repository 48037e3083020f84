/** Checks without running: format, lint and layers (biome), types (tsc, mypy), ruff, and that what is generated is current. */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensurePython } from '../bridge/python.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const worker = join(root, 'worker');
const python = await ensurePython({ lock: 'requirements-dev.lock' });
const bin = (name: string) => join(root, 'node_modules', '.bin', name);

const checks: [name: string, command: string, args: string[], cwd: string][] = [
	['biome', bin('biome'), ['ci', '--diagnostic-level=warn', '.'], root],
	['tsc', bin('tsc'), ['--noEmit'], root],
	['ruff check', python, ['-m', 'ruff', 'check', '.'], worker],
	['ruff format', python, ['-m', 'ruff', 'format', '--check', '.'], worker],
	['mypy', python, ['-m', 'mypy'], worker],
	['generated types', process.execPath, [join(root, 'scripts', 'generate.ts'), '--check'], root],
];

const failed = checks.filter(([name, command, args, cwd]) => {
	const { status, error } = spawnSync(command, args, { cwd, stdio: 'inherit' });
	console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${name}${error ? `: ${error.message}` : ''}`);
	return status !== 0;
});
process.exitCode = failed.length > 0 ? 1 : 0;
