/** A third of the web platform tests of files.txt in Chromium; `npm run wpt -- --check` runs all. */
import { testAsRecorded } from './runner/suite.ts';

await testAsRecorded('chromium', { shard: '1/3' });
