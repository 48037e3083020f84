/** Checks without running: format, lint and layers (biome), types (tsc, mypy), ruff, and that what is generated is current. */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensurePython } from '../bridge/python.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const worker = join(root, 'worker');
const python = await ensurePython({ lock: 'requirements-dev.lock' });
/** Python that is none of the worker's: of the bench, scripts and tests. */
const programs = globSync('{bench,scripts,tests}/**/*.py', { cwd: root, exclude: ['**/node_modules'] });
const config = ['--config', join(worker, 'pyproject.toml')];
const bin = (name: string) => join(root, 'node_modules', '.bin', name);

const checks: [name: string, command: string, args: string[], cwd: string][] = [
	['biome', bin('biome'), ['ci', '--diagnostic-level=warn', '.'], root],
	['tsc', bin('tsc'), ['--noEmit'], root],
	['ruff check', python, ['-m', 'ruff', 'check', '.'], worker],
	['ruff format', python, ['-m', 'ruff', 'format', '--check', '.'], worker],
	['ruff check, programs', python, ['-m', 'ruff', 'check', ...config, ...programs], root],
	['ruff format, programs', python, ['-m', 'ruff', 'format', '--check', ...config, ...programs], root],
	['mypy', python, ['-m', 'mypy'], worker],
	['generated types', process.execPath, [join(root, 'scripts', 'generate.ts'), '--check'], root],
];

const failed = checks.filter(([name, command, args, cwd]) => {
	const { status, error } = spawnSync(command, args, { cwd, stdio: 'inherit' });
	console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${name}${error ? `: ${error.message}` : ''}`);
	return status !== 0;
});
process.exitCode = failed.length > 0 ? 1 : 0;
