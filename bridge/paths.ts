/** Where the package's own files lie, from the sources as from the published build. */

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

// Both `bridge/` and the build's `lib/` are folders of the package's root.
// In a bundle of CommonJS there is no URL, and in none are the files there: whoever reads them says so.
const own: string | undefined = import.meta.url;
const root = own ? dirname(dirname(fileURLToPath(own))) : '';

/** The folder that holds the Python package and its locks. */
export const WORKER = join(root, 'worker');

/** Says the package's version. */
export const PACKAGE = join(root, 'package.json');

/** What the worker's environment is made of, by name, version and hash. */
export const LOCK = join(WORKER, 'requirements.lock');
