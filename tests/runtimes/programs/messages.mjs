/** A loop that awaits one message at a time, and misses each that is dispatched before it has come round again. */
import 'aiortc-shim/global';
import { connect } from './connect.mjs';

const { alice, bob, near, far } = await connect();

const message = () => new Promise((resolve) => far.addEventListener('message', resolve, { once: true }));
const loop = (async () => {
	let seen = 0;
	for (;;) {
		const { data } = await message();
		if (data === 'last') return seen;
		seen++;
	}
})();
// In one turn, so that they come in one frame; the last, which ends the loop in any case, in another.
for (let i = 0; i < 100; i++) near.send(`${i}`);
await new Promise((resolve) => setTimeout(resolve, 1_000));
near.send('last');
console.log(await loop);

alice.close();
bob.close();
console.log('end');
