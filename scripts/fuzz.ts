/** Fuzzes the worker's parsers in an environment that has atheris, where atheris can be had: `worker/fuzz/__main__.py`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensurePython } from '../bridge/python.ts';

const worker = join(dirname(dirname(fileURLToPath(import.meta.url))), 'worker');
const python = await ensurePython({ lock: 'requirements-fuzz.lock' }).catch((error: Error) => {
	// Alpine, for one, has no wheel, and says so only when it is to be installed.
	console.log(`without atheris: ${error.message}`);
	return ensurePython({ lock: 'requirements-dev.lock' });
});
const child = spawn(python, ['-m', 'fuzz', ...process.argv.slice(2)], { cwd: worker, stdio: 'inherit' });
const [code] = (await once(child, 'exit')) as [number | null];
process.exitCode = code ?? 1;
