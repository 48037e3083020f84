import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const root = join(import.meta.dirname, '../..');

/** What tells the time of day, which somebody may set: no span is measured by it. */
const TIME_OF_DAY =
	/\bDate\.now\(|\bnew Date\(\)|\btime\.time\b|\bdatetime\.(utc)?now\(|\bdatetime\.datetime\.(utc)?now\(/;

/** Where it is asked all the same, by line, and why. */
const ALLOWED: Record<string, string[]> = {
	// The expiry of a certificate is a date.
	'shim/api/RTCPeerConnection.ts': ['if (given.certificates.some(({ expires }) => expires < Date.now())) {'],
	'shim/api/certificate.ts': [
		'const until = expires === undefined ? undefined : Date.now() + Math.min(expires, YEAR);',
	],
	'worker/aiortc_worker/transports/certificate.py': [
		'now = datetime.datetime.now(tz=datetime.UTC)',
		'now = datetime.datetime.now(tz=datetime.UTC)',
	],
	// So is what a line of the log begins with.
	'bridge/log/openLog.ts': ["if (format === 'text') return (record) => write(textLine(record, new Date()));"],
	// And a folder's last change.
	'bridge/sweep.ts': ["if (error === 'ENOENT') return Date.now() - found.mtimeMs > YOUNG_MS;"],
	// RTCP has NTP timestamps.
	'worker/aiortc_worker/rtp/clock.py': ['seconds = (time.time() if at is None else at) + NTP_OFFSET'],
	// Statistics say dates, as their specification wants.
	'worker/aiortc_worker/rtp/inbound_stream.py': ['stats.last_packet_received_timestamp = time.time() * 1000'],
	'worker/aiortc_worker/rtp/reception.py': ['remote.timestamp = time.time() * 1000'],
	// What replaces it in the libraries names it.
	'worker/aiortc_worker/compat/clocks.py': [
		'"""Makes a module measure by the monotonic clock what it measures by `time.time()`.',
	],
};

test('nothing but dates goes by a clock that can be set', () => {
	const files = globSync(['{shim,bridge,entries}/**/*.ts', 'worker/aiortc_worker/**/*.py'], { cwd: root });
	assert.ok(files.length > 200, `${files.length} files`);
	const found: Record<string, string[]> = {};
	for (const file of files) {
		const lines = readFileSync(join(root, file), 'utf8')
			.split('\n')
			.filter((line) => TIME_OF_DAY.test(line));
		if (lines.length > 0) found[file] = lines.map((line) => line.trim());
	}
	assert.equal(found, ALLOWED);
});

test.run();
