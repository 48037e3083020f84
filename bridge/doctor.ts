/** `aiortc-shim doctor`: what is there, what is missing, a line each. */

import { askBridge } from './askBridge.ts';
import { findCompiled } from './compiled.ts';
import { chooseInterpreter, findUv, run } from './interpreter.ts';
import { checkPython, ensureCache, findPython } from './python.ts';

const VERSIONS = `from importlib.metadata import version
print(', '.join(name + ' ' + version(name) for name in ('aiortc', 'aioice', 'av')))`;

const { bun, deno, node } = process.versions as Record<string, string | undefined>;
const [runtime, version] = bun ? ['bun', bun] : deno ? ['deno', deno] : ['node', node];

/** Prints the findings; the process's status is 1 when the bridge would not run. */
export async function doctor(): Promise<void> {
	await line(runtime, async () => `${version} (${process.execPath})`);
	const { AIORTC_SHIM_URL: url, AIORTC_SHIM_TOKEN: token } = process.env;
	// A program that is started with it needs nothing else of this machine.
	if (url) {
		if (!(await line('bridge', () => describeBridge(url, token)))) process.exitCode = 1;
		return;
	}
	if (await line('environment', describeEnvironment)) return;
	// Where it would be made, and what with, matters only while it is not there.
	await line('cache', ensureCache);
	const uv = await findUv();
	await line('uv', async () => uv ?? 'none: pip is used');
	await line('python', async () => {
		const { path, version } = await chooseInterpreter({ needsVenv: uv === null });
		return `${version.join('.')} (${path})`;
	});
	process.exitCode = 1;
}

async function describeBridge(url: string, token: string | undefined): Promise<string> {
	const { capabilities, worker } = await askBridge(url, token);
	const allowed = capabilities.length > 0 ? `the token allows ${capabilities.join(', ')}` : 'the token allows no more';
	return `aiortc ${worker.aiortc}, ${allowed} (AIORTC_SHIM_URL is ${url})`;
}

async function describeEnvironment(): Promise<string> {
	const python = await findPython();
	if (!python) throw new Error('not made yet: run npx aiortc-shim setup, or start a program that needs it');
	await checkPython(python);
	const { output } = await run(python, ['-c', VERSIONS], 10_000);
	return `${output.trim()}${findCompiled(python) ? ', compiled' : ''} (${python})`;
}

async function line(name: string, find: () => Promise<string>): Promise<boolean> {
	try {
		console.log(`ok    ${name}: ${await find()}`);
		return true;
	} catch (error) {
		console.log(`FAIL  ${name}: ${(error as Error).message}`);
		return false;
	}
}
