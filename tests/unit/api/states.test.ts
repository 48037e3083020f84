import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { connectionState, iceConnectionState, iceGatheringState } from '../../../shim/api/connectionStates.ts';

test('iceConnectionState of the states of the transports', () => {
	const cases: [RTCIceTransportState[], RTCIceConnectionState][] = [
		[[], 'new'],
		[['new'], 'new'],
		[['new', 'closed'], 'new'],
		[['new', 'connected'], 'checking'],
		[['checking', 'completed'], 'checking'],
		[['connected', 'completed'], 'connected'],
		[['completed', 'closed'], 'completed'],
		[['connected', 'disconnected'], 'disconnected'],
		[['disconnected', 'failed', 'new'], 'failed'],
		[['closed'], 'new'],
	];
	for (const [transports, state] of cases) assert.is(iceConnectionState(transports), state, transports.join());
});

test('connectionState of the ICE connection state and the states of the DTLS transports', () => {
	const cases: [RTCIceConnectionState, RTCDtlsTransportState[], RTCPeerConnectionState][] = [
		['new', [], 'new'],
		['new', ['new', 'closed'], 'new'],
		['new', ['connecting'], 'connecting'],
		['checking', ['new'], 'connecting'],
		['connected', ['new'], 'connecting'],
		['connected', ['connected', 'connecting'], 'connecting'],
		['connected', ['connected', 'closed'], 'connected'],
		['completed', ['connected'], 'connected'],
		['disconnected', ['connected'], 'disconnected'],
		['disconnected', ['failed'], 'failed'],
		['failed', ['connected'], 'failed'],
	];
	for (const [ice, dtls, state] of cases) assert.is(connectionState(ice, dtls), state, `${ice} ${dtls.join()}`);
});

test('iceGatheringState of the gathering states of the transports', () => {
	const cases: [RTCIceGathererState[], RTCIceGatheringState][] = [
		[[], 'new'],
		[['new'], 'new'],
		[['new', 'gathering', 'complete'], 'gathering'],
		[['new', 'complete'], 'new'],
		[['complete', 'complete'], 'complete'],
	];
	for (const [transports, state] of cases) assert.is(iceGatheringState(transports), state, transports.join());
});

test.run();
