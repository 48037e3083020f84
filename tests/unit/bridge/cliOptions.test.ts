import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseOptions, UsageError } from '../../../bridge/cliOptions.ts';
import { DEFAULT_LIMITS } from '../../../bridge/limits.ts';
import { checkNetwork } from '../../../bridge/network.ts';

const folder = mkdtempSync(join(tmpdir(), 'aiortc-options-'));
test.after(() => rmSync(folder, { recursive: true }));

/** A file of tokens. */
function tokens(name: string, content: string): string {
	const file = join(folder, name);
	writeFileSync(file, content);
	return file;
}

test('every option reaches the bridge', () => {
	const line =
		'--host 0.0.0.0 --port 8080 --name box.lan --name 203.0.113.5 --origin https://a.example --token sesame ' +
		'--allow file --allow ice --udp-ports 40000-40100 --announce 203.0.113.5 --announce 2001:db8::5 ' +
		'--interfaces eth0,eth1 --interfaces wlan0 --isolation session --workers 3 --max-sessions 9 --grace 5 --log-level warn --log-format json';
	assert.equal(parseOptions(line.split(' ')), {
		host: '0.0.0.0',
		port: 8080,
		names: ['box.lan', '203.0.113.5'],
		origins: ['https://a.example'],
		token: 'sesame',
		access: undefined,
		capabilities: ['file', 'ice'],
		udpPorts: [40_000, 40_100],
		announce: ['203.0.113.5', '2001:db8::5'],
		interfaces: ['eth0', 'eth1', 'wlan0'],
		isolation: 'session',
		workers: 3,
		limits: { sessions: 9 },
		graceSeconds: 5,
		logLevel: 'warn',
		logFormat: 'json',
		advice: [
			'the token of --token is seen by every user of this machine who lists its processes: use --token-file, or AIORTC_SHIM_TOKEN',
		],
	});
});

test('limits are given by name, and sessions by either option', () => {
	const limits = (line: string) => parseOptions(line.split(' ')).limits;
	assert.equal(limits('--limit sources=1000 --limit heldBytes=1 --limit sessions=7'), {
		sources: 1000,
		heldBytes: 1,
		sessions: 7,
	});
	assert.equal(limits('--limit sessions=7 --max-sessions 9'), { sessions: 9 });
});

test('a file of tokens gives each its own', () => {
	const rows = [{ token: 'a', capabilities: ['file'], limits: { sessions: 1 } }, { token: 'b' }];
	assert.equal(parseOptions(['--tokens', tokens('good.json', JSON.stringify(rows))]).access, [
		{ token: 'a', capabilities: ['file'], limits: { ...DEFAULT_LIMITS, sessions: 1 } },
		{ token: 'b', capabilities: [], limits: DEFAULT_LIMITS },
	]);
});

test('a file has a token a line, each with what --allow and the limits say', () => {
	const file = tokens('tokens', '# ours\n\n  a-token \r\nanother\n');
	const { access, advice } = parseOptions(['--token-file', file, '--allow', 'file', '--max-sessions', '3']);
	const rest = { capabilities: ['file'], limits: { ...DEFAULT_LIMITS, sessions: 3 } };
	assert.equal(access, [
		{ token: 'a-token', ...rest },
		{ token: 'another', ...rest },
	]);
	assert.equal(advice, [`every user of this machine may read the tokens of ${file}: chmod 600 it`]);
	chmodSync(file, 0o640);
	assert.equal(parseOptions(['--token-file', file]).advice, []);
});

test('without options it logs text, at the level of the environment', () => {
	const { logFormat, logLevel, advice } = parseOptions([]);
	assert.equal([logFormat, logLevel, advice], ['text', undefined, []]);
});

const mistakes: [args: string[], sentence: RegExp][] = [
	[['--port', 'eighty'], /^--port is eighty; a number from 0 to 65535 is needed$/],
	[['--port', '65536'], /^--port is 65536; /],
	[['--port', ''], /^--port is empty; /],
	[['--workers', '0'], /^--workers is 0; a number from 1 /],
	[['--grace', '1.5'], /^--grace is 1\.5; /],
	[['--udp-ports', '40000'], /^--udp-ports is 40000; two numbers as 40000-40100 are needed$/],
	[['--udp-ports', '40000-'], /^--udp-ports is 40000-; /],
	[['--isolation', 'all'], /^--isolation is all; session, token or shared is needed$/],
	[['--allow', 'fly'], /^--allow: fly is no capability; there are file, /],
	[['--tokens', join(folder, 'none.json')], /none\.json is not there$/],
	[['--tokens', tokens('broken.json', '[{')], /broken\.json is no JSON; a file of a token a line is for --token-file$/],
	[['--tokens', folder], /^--tokens: .* cannot be read: EISDIR/],
	[['--tokens', tokens('allowing.json', '[{"token":"a"}]'), '--allow', 'file'], /^--allow is not for --tokens: put /],
	[['--tokens', tokens('limiting.json', '[{"token":"a"}]'), '--limit', 'files=1'], /^--limit is not for --tokens: /],
	[
		['--tokens', tokens('most.json', '[{"token":"a"}]'), '--max-sessions', '1'],
		/^--max-sessions is not for --tokens: /,
	],
	[
		['--origin', 'app.example'],
		/^--origin is app\.example; a scheme and a host as https:\/\/example\.org, or \*, is needed$/,
	],
	[['--origin', 'https://app.example/room'], /^--origin is https:\/\/app\.example\/room; /],
	[['--origin', ''], /^--origin is empty; /],
	[['--name', 'https://app.example'], /^--name is https:\/\/app\.example; a name or an address alone, /],
	[['--name', 'app.example:8443'], /^--name is app\.example:8443; /],
	[['--tokens', tokens('empty.json', '[]')], /has no list of tokens$/],
	[['--tokens', tokens('nobody.json', '[{"token":"a"},{}]')], /row 2 of .* has no token$/],
	[['--tokens', tokens('null.json', '[null]')], /row 1 of .* has no token$/],
	[['--tokens', tokens('flying.json', '[{"token":"a","capabilities":["fly"]}]')], /row 1 of .*: fly is no capability/],
	[
		['--tokens', tokens('much.json', '[{"token":"a","limits":{"sesions":1}}]')],
		/sesions is no limit; there are sessions,/,
	],
	[
		['--tokens', tokens('text.json', '[{"token":"a","limits":{"sessions":"1"}}]')],
		/sessions is 1; a whole number from 1 on is needed$/,
	],
	[['--token-file', join(folder, 'none')], /^--token-file: .*none is not there$/],
	[['--token-file', folder], /^--token-file: .* cannot be read: EISDIR/],
	[['--token-file', tokens('blank', '# nothing\n\n')], /^--token-file: .*blank has no token$/],
	[['--token', 'a', '--token-file', tokens('two', 'b')], /^--token, --token-file and --tokens are three ways/],
	[['--log-level', 'loud'], /^--log-level is loud; debug, info, warn or error is needed$/],
	[['--log-format', ''], /^--log-format is empty; text or json is needed$/],
	[['--limit', 'sorces=1'], /^--limit: sorces is no limit; there are sessions,/],
	[['--limit', 'sources'], /^--limit: sources is nothing; a whole number from 1 on is needed$/],
	[['--limit', 'sources=0'], /^--limit: sources is 0; /],
	[['--limit', 'sources=many'], /^--limit: sources is many; /],
	[['--limit', '__proto__=1'], /^--limit: __proto__ is no limit; /],
	[['--nonsense'], /^Unknown option '--nonsense'$/],
	[['--port'], /^Option '--port <value>' argument missing$/],
	[['nonsense'], /^Unexpected argument 'nonsense'$/],
];
for (const [args, sentence] of mistakes) {
	test(`${args.map((each) => each.replace(folder, '…')).join(' ')} is a mistake that one sentence names`, () => {
		assert.throws(
			() => parseOptions(args),
			(error: Error) => error instanceof UsageError && sentence.test(error.message) && !error.message.includes('\n'),
		);
	});
}

test('what is wrong with a file of tokens is said without its tokens', () => {
	const file = tokens('secret', 'operator-secret');
	assert.throws(
		() => parseOptions(['--tokens', file]),
		(error: Error) => !/operator/.test(error.message),
	);
});

test('origins and names as browsers send them are taken', () => {
	const origins = [
		'*',
		'https://app.example',
		'http://[::1]:8080',
		'chrome-extension://abcdef',
		'https://app.example/',
	];
	const names = ['box', 'app.example', '203.0.113.5', '2001:db8::5'];
	const given = [...origins.flatMap((each) => ['--origin', each]), ...names.flatMap((each) => ['--name', each])];
	const options = parseOptions(given);
	assert.equal([options.origins, options.names], [origins, names]);
});

const networks: [network: Parameters<typeof checkNetwork>[0], sentence: RegExp][] = [
	[{ udpPorts: [40_100, 40_000] }, /^the UDP ports are 40100-40000; /],
	[{ udpPorts: [0, 10] }, /^the UDP ports are 0-10; two from 1 to 65535/],
	[{ udpPorts: [1, 65_536] }, /^the UDP ports are 1-65536; /],
	[{ announce: ['box.lan'] }, /^box\.lan cannot be announced: an IP address is needed$/],
	[{ announce: ['203.0.113.5', '2001:db8::1', '203.0.113.6'] }, /^203\.0\.113\.5 and 203\.0\.113\.6 cannot both /],
	[{ interfaces: ['no-such-interface'] }, /^there is no interface no-such-interface; there are .*lo/],
	[{ interfaces: [''] }, /^there is no interface ; /],
];
for (const [network, sentence] of networks) {
	test(`${JSON.stringify(network)} cannot be used`, () => {
		assert.throws(
			() => checkNetwork(network),
			(error: Error) => error instanceof RangeError && sentence.test(error.message),
		);
	});
}

test('ports, an address of each version and interfaces by name or address can be used', () => {
	checkNetwork({});
	checkNetwork({ udpPorts: [1, 65_535], announce: ['203.0.113.5', '2001:db8::5'], interfaces: ['lo', '127.0.0.1'] });
	checkNetwork({ udpPorts: [40_000, 40_000] });
});

test.run();
