import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Demo } from '../../demo/server.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { ensureMediasoupWorker } from '../../scripts/mediasoup-worker.ts';
import { EmptyFolder } from './EmptyFolder.ts';
import { allRuntimes } from './runtimes.ts';

const runtimes = await allRuntimes();
const versions: Record<string, string> = packageJson.devDependencies;
const clients = ['mediasoup-client', 'socket.io-client'].map((name) => `${name}@${versions[name]}`);
const folder = await EmptyFolder.create(clients);
const demo = await Demo.serve({ workerBin: await ensureMediasoupWorker(), port: 0 });

test.after(async () => {
	await demo.close();
	folder.remove();
});

test('one bot file, on Node, Deno and Bun, in one room: each sees, hears and reads the other two', async () => {
	const bots = runtimes.map(({ name, command }, index) => {
		const tone = 400 + 200 * index;
		const args = [demo.url, name, `${tone}`, `${runtimes.length - 1}`];
		return { name, tone, program: folder.start({ name, command }, 'bot.mjs', args) };
	});
	await Promise.all(bots.map(({ program }) => program.said('complete')));
	for (const { program } of bots) program.child.kill('SIGTERM');
	for (const { name, program } of bots) {
		const { code, stdout, stderr, lingered } = await program.ended;
		assert.is(code, 0, `${name}: ${stdout}${stderr}`);
		assert.ok(lingered < 2_000, `${name} ended ${lingered} ms after it had left`);
		for (const other of bots.filter((each) => each.name !== name)) {
			const expected = `${other.name}: 160x120, ${other.tone} Hz, greetings from ${other.name}\n`;
			assert.ok(stdout.includes(expected), `${name} has no “${expected}” but\n${stdout}`);
		}
	}
});

test.run();
