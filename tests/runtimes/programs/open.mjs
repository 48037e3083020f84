/** Leaves its connection open; says where its worker's files are, and lives until the connection is closed. */
import 'aiortc-shim/global';
import { connect } from './connect.mjs';

const { alice, bob } = await connect();
process.once('SIGTERM', () => {
	alice.close();
	bob.close();
	console.log('end');
});
console.log('open');
