/** The peers that are there within a minute, in all scenarios; `npm run interop` has the others, and figures. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { cellsOf, lackOf, readExpectations } from './driver/expectations.ts';
import { KINDS } from './driver/kinds.ts';
import { nameOf, type Outcome, runInterop } from './driver/run.ts';
import { withServers } from './driver/servers.ts';

const kinds = KINDS.filter(({ quick }) => quick);
let outcome: Outcome;

test.before(async () => {
	const expectations = readExpectations();
	outcome = await withServers((coturn) =>
		runInterop({ kinds, wants: () => true, expectations, coturn, tries: 3, log: console.log }),
	);
	const others = KINDS.filter(({ quick }) => !quick).map(({ title }) => title);
	for (const line of outcome.leftOut) console.log(`note: left out: ${line}`);
	console.log(`note: left out, since they take longer: ${others.join(', ')}`);
});

for (const kind of kinds) {
	test(`what ${kind.title} and the shim do together is as recorded`, () => {
		if (outcome.leftOut.some((line) => line.startsWith(`${kind.title}:`))) return;
		const cells = cellsOf(kind).filter((cell) => lackOf(cell) === null);
		const run = outcome.results.filter((result) => result.kind === kind).map(nameOf);
		assert.equal(run.sort(), cells.map(nameOf).sort());
		assert.equal(
			outcome.surprises.filter((line) => line.startsWith(`${kind.name} `)),
			[],
		);
	});
}

test.run();
