/** All web platform tests of files.txt, in jsdom on Node. */
import { testAsRecorded } from './runner/suite.ts';

await testAsRecorded('node');
