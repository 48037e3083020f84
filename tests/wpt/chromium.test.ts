/**
 * A third of the web platform tests of files.txt in Chromium, those of which most passes: the others encode pictures of
 * eight million pixels, or wait for what does not come. `npm run wpt -- --check` runs all.
 */
import { testAsRecorded } from './runner/suite.ts';

await testAsRecorded('chromium', { shard: '1/3' }, (share) => share >= 0.5);
