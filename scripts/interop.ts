/**
 * Runs the shim against other implementations of WebRTC, each a process of its own.
 *
 *     npm run interop                    all of them
 *     npm run interop -- pion vp8        the peers and the scenarios named
 *     npm run interop -- --quick         the peers that `npm test` tries
 *     npm run interop -- --write         records what was found, and the tables of docs/interop.md
 *
 * Fails when anything is not as tests/interop/expectations.json has it.
 */
import { parseArgs } from 'node:util';
import { readExpectations, record, unexplained, writeExpectations } from '../tests/interop/driver/expectations.ts';
import { KINDS } from '../tests/interop/driver/kinds.ts';
import { runInterop } from '../tests/interop/driver/run.ts';
import { ROOM_SCENARIOS, SCENARIOS } from '../tests/interop/driver/scenarios.ts';
import { withServers } from '../tests/interop/driver/servers.ts';
import { writeTable } from '../tests/interop/driver/table.ts';

const { values: options, positionals: words } = parseArgs({
	allowPositionals: true,
	options: { quick: { type: 'boolean', default: false }, write: { type: 'boolean', default: false } },
});

const scenarios = [...SCENARIOS, ...ROOM_SCENARIOS];
const known = [...KINDS, ...scenarios].map(({ name }) => name);
const unknown = words.filter((word) => !known.includes(word));
if (unknown.length > 0) {
	console.error(`no peer or scenario is called ${unknown.join(', ')}; there are ${known.join(', ')}`);
	process.exit(1);
}
/** Whether something is among the words, or none of its sort is. */
const isWanted = (name: string, all: readonly { name: string }[]) =>
	words.includes(name) || !all.some((each) => words.includes(each.name));

const expectations = readExpectations();
const { results, versions, leftOut, surprises } = await withServers((coturn) =>
	runInterop({
		kinds: KINDS.filter(({ name, quick }) => isWanted(name, KINDS) && (quick || !options.quick)),
		wants: ({ scenario }) => isWanted(scenario.name, scenarios),
		expectations,
		coturn,
		tries: options.write ? 2 : 3,
		log: console.log,
	}),
);
for (const line of leftOut) console.log(`left out: ${line}`);
if (options.write) {
	const written = record(expectations, results, versions);
	writeExpectations(written);
	writeTable(written);
	for (const line of unexplained(written)) console.log(`without a reason: ${line}`);
} else {
	for (const line of surprises) console.log(`NEWS ${line}`);
	process.exitCode = surprises.length > 0 ? 1 : 0;
}
