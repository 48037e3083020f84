import type { DataChannelStats } from '../../rpc/schema.ts';
import type { Connection } from '../connection.ts';
import type { DataChannel } from '../dataChannel.ts';
import type { Entry } from './entry.ts';

/** @see https://www.w3.org/TR/webrtc-stats/#pcstats-dict* */
export function peerConnectionEntry({ channelsOpened, channelsClosed }: Connection): Entry {
	return { id: 'P', type: 'peer-connection', dataChannelsOpened: channelsOpened, dataChannelsClosed: channelsClosed };
}

/** @see https://www.w3.org/TR/webrtc-stats/#dcstats-dict* */
export function dataChannelEntry(channel: DataChannel, counters: DataChannelStats | null): Entry[] {
	const { id, readyState, init } = channel;
	return [
		{
			id: `D${id}`,
			type: 'data-channel',
			label: init.label,
			protocol: init.protocol,
			dataChannelIdentifier: id,
			state: readyState,
			...counters,
		},
	];
}
