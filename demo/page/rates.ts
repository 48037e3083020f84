/** What the charts show, out of RTCStatsReports. */

export interface Sample {
	/** Milliseconds since the epoch, of the newest report. */
	at: number;
	/** Bytes so far, over all transports. */
	sent: number;
	received: number;
	/** Milliseconds; null while no path has been measured. */
	roundTrip: number | null;
}

export interface Rates {
	/** kbit/s. */
	send: number;
	receive: number;
}

/** Adds up the transports of several connections. */
export function sampleOf(reports: readonly RTCStatsReport[]): Sample {
	const sample: Sample = { at: 0, sent: 0, received: 0, roundTrip: null };
	for (const report of reports) {
		for (const entry of report.values()) {
			if (entry.type !== 'transport') continue;
			const { timestamp, bytesSent = 0, bytesReceived = 0, selectedCandidatePairId } = entry as RTCTransportStats;
			sample.at = Math.max(sample.at, timestamp);
			sample.sent += bytesSent;
			sample.received += bytesReceived;
			const pair: RTCIceCandidatePairStats | undefined = selectedCandidatePairId && report.get(selectedCandidatePairId);
			const trip = pair?.currentRoundTripTime;
			// To the same SFU: the longer of two is what may be felt.
			if (trip !== undefined) sample.roundTrip = Math.max(trip * 1_000, sample.roundTrip ?? 0);
		}
	}
	return sample;
}

export function ratesOf(before: Sample, after: Sample): Rates {
	const milliseconds = Math.max(after.at - before.at, 1);
	// A connection that was replaced begins at zero again.
	const rate = (from: number, to: number) => (Math.max(to - from, 0) * 8) / milliseconds;
	return { send: rate(before.sent, after.sent), receive: rate(before.received, after.received) };
}
