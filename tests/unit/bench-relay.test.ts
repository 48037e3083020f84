/** What the bench's relay makes of a description. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { firstCandidate, leadingBy } from '../../bench/Relay.ts';

const SDP = [
	'v=0',
	'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
	'a=candidate:1 1 udp 2130706431 fe80::1 5000 typ host',
	'a=candidate:2 1 UDP 2130706175 192.0.2.1 5001 typ host generation 0',
	'a=candidate:3 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active',
	'a=candidate:4 1 udp 1694498815 198.51.100.1 6000 typ srflx raddr 192.0.2.1 rport 5001',
	'a=end-of-candidates',
	'a=ice-ufrag:abcd',
	'',
].join('\r\n');

test('a description leads by the relay alone, in the place of its first host candidate of UDP and IPv4', () => {
	assert.equal(firstCandidate(SDP), { host: '192.0.2.1', port: 5001 });
	assert.equal(leadingBy(SDP, '127.0.0.1', 7000).split('\r\n'), [
		'v=0',
		'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
		'a=candidate:2 1 UDP 2130706175 127.0.0.1 7000 typ host generation 0',
		'a=ice-ufrag:abcd',
		'',
	]);
});

test('a description that has none is refused', () => {
	assert.throws(() => firstCandidate('v=0\r\na=candidate:1 1 tcp 1 192.0.2.1 9 typ host\r\n'), /no host candidate/);
});

test.run();
