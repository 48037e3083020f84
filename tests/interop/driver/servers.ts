/** What a run has beside its peers: a TURN server, and a certificate that the shim's worker trusts. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensurePython } from '../../../bridge/python.ts';
import { run } from '../../../scripts/subprocess.ts';
import { ensureCoturn } from '../../../scripts/system-packages.ts';
import { closeMedia } from '../media/media.ts';
import { Coturn } from './Coturn.ts';
import { closeShim } from './ShimEnd.ts';

/** Does the work, then ends whatever it started. */
export async function withServers<T>(work: (coturn: () => Promise<Coturn>) => Promise<T>): Promise<T> {
	const folder = await mkdtemp(join(tmpdir(), 'aiortc-shim-interop-servers-'));
	await run(await ensurePython(), [join(import.meta.dirname, 'certificate.py'), folder]);
	// The worker, which is started later, trusts it then.
	process.env.SSL_CERT_FILE = join(folder, 'certificate.pem');
	let coturn: Promise<Coturn> | undefined;
	// What listens to the process's exit ends the peers then.
	for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
	try {
		return await work(() => {
			coturn ??= startCoturn(folder);
			return coturn;
		});
	} finally {
		await closeShim();
		await coturn?.then((server) => server.close()).catch(() => {});
		await closeMedia();
		await rm(folder, { recursive: true, force: true });
	}
}

async function startCoturn(folder: string): Promise<Coturn> {
	await ensureCoturn();
	return Coturn.start(folder);
}
