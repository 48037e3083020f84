/** What holds in every offer. */

import * as assert from 'uvu/assert';
import type { Description } from '../../shim/jsep/index.ts';

/** Many peers take one pair of credentials, and one fingerprint, for a whole group. */
export function assertEqualInGroups({ bundle, sections }: Description): void {
	for (const group of bundle) {
		const members = sections.filter(({ mid }) => group.includes(mid));
		const said = members.map(({ iceUfrag, icePwd, fingerprints }) => JSON.stringify([iceUfrag, icePwd, fingerprints]));
		assert.is(new Set(said).size, 1, `group ${group}: ${said}`);
	}
	const live = sections.filter(({ rejected }) => !rejected).map(({ mid }) => mid);
	assert.equal(bundle.flat().toSorted(), live.toSorted());
}
