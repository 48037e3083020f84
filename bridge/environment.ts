/** What the environment of this process hands on to those that it starts. */

import { delimiter } from 'node:path';
import { findCompiled } from './compiled.ts';
import { WORKER } from './paths.ts';

/**
 * All that a worker gets. A list of what is allowed: a worker reads what strangers send, so whatever secret is in its
 * environment is theirs if they ever take it over, and no list knows the names of all secrets.
 */
const NAMES = new Set([
	// Of every program.
	...['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'LANGUAGE', 'TZ', 'TMPDIR', 'TEMP', 'TMP'],
	// Certificates that its TLS trusts.
	...['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR'],
	// Where an interpreter of the user's own finds itself.
	...['VIRTUAL_ENV', 'CONDA_PREFIX'],
	// Cameras and microphones.
	...['DISPLAY', 'WAYLAND_DISPLAY', 'DBUS_SESSION_BUS_ADDRESS'],
	// Windows starts nothing without some of these.
	...['SYSTEMROOT', 'SYSTEMDRIVE', 'WINDIR', 'COMSPEC', 'PATHEXT', 'USERPROFILE', 'APPDATA', 'LOCALAPPDATA'],
	...['PROGRAMDATA', 'PROGRAMFILES', 'NUMBER_OF_PROCESSORS', 'PROCESSOR_ARCHITECTURE'],
]);
/** Locale, Python and its libraries, the loader, and the daemons of sound and of the desktop. */
const PREFIXES =
	/^(LC_|PYTHON|LD_|DYLD_|XDG_|PULSE_|PIPEWIRE_|ALSA_|UV_|OPENSSL_|MALLOC_|OMP_|OPENBLAS_|ASAN_|UBSAN_|COVERAGE_)/;

/** @param secret what the bridge will show a worker that listens at a port */
export function workerEnvironment(python: string, secret: string | null): NodeJS.ProcessEnv {
	const allowed = Object.entries(process.env).filter(([name]) => isAllowed(name.toUpperCase()));
	const env: NodeJS.ProcessEnv = Object.fromEntries(allowed);
	env.PYTHONPATH = env.PYTHONPATH ? WORKER + delimiter + env.PYTHONPATH : WORKER;
	// Empty, the variable has the sources run though they were compiled.
	env.AIORTC_WORKER_COMPILED = process.env.AIORTC_WORKER_COMPILED ?? findCompiled(python) ?? '';
	if (secret) env.AIORTC_WORKER_SECRET = secret;
	return env;
}

function isAllowed(name: string): boolean {
	return NAMES.has(name) || PREFIXES.test(name);
}

/**
 * What pip, uv and the interpreters that are tried get: all but the bridge's own. A list of what is denied: they heed
 * variables without number (mirrors, proxies, their credentials, keyrings, compilers), and read nothing of strangers'.
 */
export function setupEnvironment(without: readonly string[] = []): NodeJS.ProcessEnv {
	const isDenied = (name: string) => without.includes(name) || /^AIORTC_SHIM_/i.test(name);
	return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isDenied(name)));
}
