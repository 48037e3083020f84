/** The options of `aiortc-shim bridge`. */

import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import type { Capability } from '../shim/link/hello.ts';
import { type Access, CAPABILITIES, DEFAULT_LIMITS, type Limits, limitsMistake, parseLimits } from './limits.ts';
import { LEVELS } from './log/kinds.ts';
import { FORMATS, type LogFormat } from './log/openLog.ts';
import type { BridgeOptions, Isolation } from './server.ts';
import { isOpenToAll, readTokenFile } from './tokenFile.ts';

export const OPTIONS = `Where it listens, and who may connect:
  --host ADDRESS        listen there; 127.0.0.1 unless given
  --port NUMBER         a free one unless given
  --name NAME           a name or address under which it is reached, beside its own; may be repeated
  --origin ORIGIN       pages of https://example.org may connect; may be repeated; * for all
  --token-file FILE     what a client must show: a token a line; AIORTC_SHIM_TOKEN unless given, else one is made and printed
  --token TEXT          the token itself, which every user of this machine sees in its list of processes
  --tokens FILE         several, each with its own: JSON [{"token", "capabilities": [], "limits": {}}, …]
  --allow CAPABILITY    ${CAPABILITIES.join(', ')}; may be repeated; none unless given

Where its WebRTC peers reach it, for containers and clouds:
  --udp-ports MIN-MAX   UDP ports of its host candidates; any unless given
  --announce ADDRESS    an IP address that candidates have in place of this machine's; one of IPv4, one of IPv6
  --interfaces NAMES    eth0,eth1: the interfaces that alone are used; all but loopback unless given

How much:
  --isolation HOW       session, token or shared: which sessions share a worker process; shared on loopback, else token
  --workers NUMBER      worker processes at most; one for each core unless given, or each token that shares none
  --max-sessions NUMBER sessions of a token at most; ${DEFAULT_LIMITS.sessions} unless given
  --limit NAME=NUMBER   of what a session may use; may be repeated; unless given:
                        ${limitLines()}
  --grace SECONDS       for which a session outlives its connection; 30 unless given

What it says, on stderr:
  --log-level LEVEL     ${LEVELS.join(', ')}: the least that is logged; AIORTC_SHIM_LOG_LEVEL unless given, else info
  --log-format FORMAT   text for a person, json for a collector: an object a line; text unless given
`;

const text = { type: 'string' } as const;
const texts = { type: 'string', multiple: true } as const;
const NAMES = {
	host: text,
	port: text,
	name: texts,
	origin: texts,
	token: text,
	'token-file': text,
	tokens: text,
	allow: texts,
	'udp-ports': text,
	announce: texts,
	interfaces: texts,
	isolation: text,
	workers: text,
	'max-sessions': text,
	limit: texts,
	grace: text,
	'log-level': text,
	'log-format': text,
} satisfies ParseArgsOptionsConfig;

/** A mistake in the command line; the message says which. */
export class UsageError extends Error {}

export interface CommandLine extends BridgeOptions {
	readonly logFormat: LogFormat;
	/** What whoever started the bridge so should know, a sentence each. */
	readonly advice: readonly string[];
}

/**
 * What the arguments ask for.
 *
 * @throws {UsageError}
 */
export function parseOptions(args: readonly string[]): CommandLine {
	const values = parse(args);
	const { token, tokens, 'token-file': tokenFile } = values;
	if ([token, tokens, tokenFile].filter((each) => each !== undefined).length > 1) {
		throw new UsageError('--token, --token-file and --tokens are three ways to say one thing: give one of them');
	}
	refuseIgnored(values);
	for (const origin of values.origin ?? []) checkOrigin(origin);
	for (const name of values.name ?? []) checkName(name);
	const allowed = capabilities('--allow', values.allow ?? []);
	const named = namedLimits(values.limit ?? []);
	const limited = {
		...named,
		sessions: count('max-sessions', values['max-sessions'], 1) ?? named.sessions ?? DEFAULT_LIMITS.sessions,
	};
	return {
		host: values.host,
		port: count('port', values.port, 0, 65_535),
		names: values.name,
		origins: values.origin,
		token: token ?? (process.env.AIORTC_SHIM_TOKEN || undefined),
		access:
			tokens === undefined
				? tokensOf(tokenFile)?.map((each) => ({
						token: each,
						capabilities: allowed,
						limits: { ...DEFAULT_LIMITS, ...limited },
					}))
				: readTokens(tokens),
		capabilities: allowed,
		udpPorts: ports(values['udp-ports']),
		announce: values.announce,
		interfaces: values.interfaces?.flatMap((names) => names.split(',')),
		isolation: oneOf<Isolation>('isolation', values.isolation, ['session', 'token', 'shared']),
		workers: count('workers', values.workers, 1, 1_024),
		limits: limited,
		graceSeconds: count('grace', values.grace),
		logLevel: oneOf('log-level', values['log-level'], LEVELS),
		logFormat: oneOf('log-format', values['log-format'], FORMATS) ?? 'text',
		advice: [token === undefined ? [] : [VISIBLE], [tokens, tokenFile].flatMap(adviceOnFile)].flat(),
	};
}

/** The rows of `--tokens` say what each token may do: what is said beside them would be for none. */
function refuseIgnored(values: ReturnType<typeof parse>): void {
	if (values.tokens === undefined) return;
	const ignored = (['allow', 'limit', 'max-sessions'] as const).find((name) => values[name] !== undefined);
	if (ignored === undefined) return;
	throw new UsageError(`--${ignored} is not for --tokens: put "capabilities" and "limits" into the rows of its file`);
}

/** An Origin header has a scheme, a host and a port; anything else would never be one. */
function checkOrigin(origin: string): void {
	if (origin === '*' || /^[a-z][a-z\d+.-]*:\/\/[^/?#@]+\/?$/i.test(origin)) return;
	throw new UsageError(`--origin is ${origin || 'empty'}; a scheme and a host as https://example.org, or *, is needed`);
}

/** A Host header is compared without its port. */
function checkName(name: string): void {
	if (isIP(name) || /^[^\s:/?#@[\]]+$/.test(name)) return;
	throw new UsageError(`--name is ${name || 'empty'}; a name or an address alone, as example.org, is needed`);
}

const VISIBLE =
	'the token of --token is seen by every user of this machine who lists its processes: use --token-file, or AIORTC_SHIM_TOKEN';

function adviceOnFile(file: string | undefined): string[] {
	if (file === undefined || !isOpenToAll(file)) return [];
	return [`every user of this machine may read the tokens of ${file}: chmod 600 it`];
}

function tokensOf(file: string | undefined): string[] | undefined {
	if (file === undefined) return undefined;
	try {
		return readTokenFile(file);
	} catch (error) {
		throw new UsageError(`--token-file: ${file} ${fault(error) ?? (error as Error).message}`);
	}
}

function oneOf<T extends string>(name: string, value: string | undefined, all: readonly T[]): T | undefined {
	const found = all.find((each) => each === value);
	if (found || value === undefined) return found;
	throw new UsageError(`--${name} is ${value || 'empty'}; ${all.slice(0, -1).join(', ')} or ${all.at(-1)} is needed`);
}

function parse(args: readonly string[]) {
	try {
		return parseArgs({ args: [...args], options: NAMES }).values;
	} catch (error) {
		// Its first sentence says what is wrong, those after it how the parser could be told otherwise.
		throw new UsageError(
			(error as Error).message.replace(/\.?\s+(To specify|Did you forget|This command)[\s\S]*$/, ''),
		);
	}
}

function count(name: string, value: string | undefined, least = 0, most = 2 ** 31 - 1): number | undefined {
	if (value === undefined) return undefined;
	const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
	if (number >= least && number <= most) return number;
	throw new UsageError(`--${name} is ${value || 'empty'}; a number from ${least} to ${most} is needed`);
}

function ports(value: string | undefined): [number, number] | undefined {
	if (value === undefined) return undefined;
	const [, low, high] = /^(\d+)-(\d+)$/.exec(value) ?? [];
	if (!low || !high) throw new UsageError(`--udp-ports is ${value || 'empty'}; two numbers as 40000-40100 are needed`);
	return [Number(low), Number(high)];
}

function capabilities(where: string, names: readonly unknown[]): Capability[] {
	const wrong = names.find((name) => !CAPABILITIES.includes(name as Capability));
	if (wrong === undefined) return names as Capability[];
	throw new UsageError(`${where}: ${wrong || 'nothing'} is no capability; there are ${CAPABILITIES.join(', ')}`);
}

/** The file's tokens; what a row leaves out is nothing for capabilities, and the default for limits. */
function readTokens(file: string): Access[] {
	const rows = readJson(file);
	if (!Array.isArray(rows) || rows.length === 0) throw new UsageError(`--tokens: ${file} has no list of tokens`);
	return rows.map((row: Partial<Access> | null, index) => {
		if (typeof row?.token !== 'string' || !row.token) {
			throw new UsageError(`--tokens: row ${index + 1} of ${file} has no token`);
		}
		return {
			token: row.token,
			capabilities: capabilities(`--tokens: row ${index + 1} of ${file}`, row.capabilities ?? []),
			limits: limits(`--tokens: row ${index + 1} of ${file}`, row.limits ?? {}),
		};
	});
}

function limits(where: string, given: Partial<Limits>): Limits {
	const mistake = limitsMistake(given);
	if (mistake) throw new UsageError(`${where}: ${mistake}`);
	return { ...DEFAULT_LIMITS, ...given };
}

function namedLimits(texts: readonly string[]): Partial<Limits> {
	try {
		return parseLimits(texts);
	} catch (error) {
		throw new UsageError(`--limit: ${(error as Error).message}`);
	}
}

/** Names and defaults, three a line; sessions have an option of their own. */
function limitLines(): string {
	const { sessions: _, ...rest } = DEFAULT_LIMITS;
	const texts = Object.entries(rest).map(([name, value]) => `${name}=${value}`);
	const lines = Array.from({ length: Math.ceil(texts.length / 3) }, (_, line) => texts.slice(3 * line, 3 * line + 3));
	return lines.map((line) => line.join(' ')).join(`\n${' '.repeat(24)}`);
}

function readJson(file: string): unknown {
	try {
		return JSON.parse(readFileSync(file, 'utf8'));
	} catch (error) {
		// The parser's own message quotes the file, and so its tokens.
		throw new UsageError(
			`--tokens: ${file} ${fault(error) ?? 'is no JSON; a file of a token a line is for --token-file'}`,
		);
	}
}

/** Why the system did not give a file; null when the error is not the system's. */
function fault(error: unknown): string | null {
	const { code, message } = error as NodeJS.ErrnoException;
	if (code === undefined) return null;
	return code === 'ENOENT' ? 'is not there' : `cannot be read: ${message}`;
}
