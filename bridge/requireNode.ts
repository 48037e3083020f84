/** Imported for its effect, before anything that an older Node lacks: that is said in a sentence, not by what is missing. */

const { node } = process.versions;

if (Number.parseInt(node, 10) < 20) {
	const error = new Error(`aiortc-shim needs Node >= 20, and this is ${node}: install it from https://nodejs.org`);
	// The way here is of no use to who reads it.
	error.stack = `Error: ${error.message}`;
	throw error;
}
