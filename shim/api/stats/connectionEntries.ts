import type { Connection } from '../connection.ts';
import type { DataChannel } from '../dataChannel.ts';
import type { Entry } from './collect.ts';
import type { DataChannelCounters } from './counters.ts';

/** @see https://www.w3.org/TR/webrtc-stats/#pcstats-dict* */
export function peerConnectionEntry({ channelsOpened, channelsClosed }: Connection): Entry {
	return { id: 'P', type: 'peer-connection', dataChannelsOpened: channelsOpened, dataChannelsClosed: channelsClosed };
}

/** @see https://www.w3.org/TR/webrtc-stats/#dcstats-dict* */
export function dataChannelEntry(channel: DataChannel, counters: DataChannelCounters | null): Entry[] {
	return [
		{
			id: `D${channel.id}`,
			type: 'data-channel',
			label: channel.init.label,
			protocol: channel.init.protocol,
			dataChannelIdentifier: channel.id,
			state: channel.readyState,
			...counters,
		},
	];
}
