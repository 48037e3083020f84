/** All web platform tests of files.txt of which anything passes, in jsdom on Node. */
import { testAsRecorded } from './runner/suite.ts';

await testAsRecorded('node', {}, (share) => share > 0);
