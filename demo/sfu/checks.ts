import type { Asked, RequestName } from '../signalling.ts';
import { LIMITS } from './limits.ts';

type Fields = Record<string, unknown>;

/**
 * Turns what a client sent into a request, or throws a TypeError that names the field at fault.
 * RTP parameters and capabilities pass as objects: mediasoup checks what is in them.
 */
export const CHECKS: { [N in RequestName]: (value: unknown) => Asked<N> } = {
	join: (value) => {
		const fields = object(value, 'request');
		return { room: name(fields, 'room'), name: name(fields, 'name'), bot: fields.bot === true };
	},
	enter: nothing,
	createTransport: nothing,
	connectTransport: (value) => {
		const fields = object(value, 'request');
		return { transportId: name(fields, 'transportId'), dtlsParameters: dtlsParameters(fields.dtlsParameters) };
	},
	restartIce: (value) => ({ transportId: name(object(value, 'request'), 'transportId') }),
	produce: (value) => {
		const fields = object(value, 'request');
		return {
			transportId: name(fields, 'transportId'),
			kind: oneOf(fields.kind, ['audio', 'video'], 'kind'),
			rtpParameters: object(fields.rtpParameters, 'rtpParameters') as unknown as Asked<'produce'>['rtpParameters'],
		};
	},
	produceData: (value) => {
		const fields = object(value, 'request');
		return {
			transportId: name(fields, 'transportId'),
			sctpStreamParameters: sctpStreamParameters(fields.sctpStreamParameters),
			label: name(fields, 'label'),
		};
	},
	consume: (value) => {
		const fields = object(value, 'request');
		return {
			transportId: name(fields, 'transportId'),
			producerId: name(fields, 'producerId'),
			rtpCapabilities: object(fields.rtpCapabilities, 'rtpCapabilities'),
		};
	},
	consumeData: (value) => {
		const fields = object(value, 'request');
		return { transportId: name(fields, 'transportId'), dataProducerId: name(fields, 'dataProducerId') };
	},
	resumeConsumer: (value) => ({ consumerId: name(object(value, 'request'), 'consumerId') }),
	resumeDataConsumer: (value) => ({ dataConsumerId: name(object(value, 'request'), 'dataConsumerId') }),
	pauseProducer: (value) => ({ producerId: name(object(value, 'request'), 'producerId') }),
	resumeProducer: (value) => ({ producerId: name(object(value, 'request'), 'producerId') }),
	closeProducer: (value) => ({ producerId: name(object(value, 'request'), 'producerId') }),
	closeDataProducer: (value) => ({ dataProducerId: name(object(value, 'request'), 'dataProducerId') }),
};

const HASHES = ['sha-1', 'sha-224', 'sha-256', 'sha-384', 'sha-512'] as const;

function dtlsParameters(value: unknown): Asked<'connectTransport'>['dtlsParameters'] {
	const { role, fingerprints } = object(value, 'dtlsParameters');
	if (!Array.isArray(fingerprints) || fingerprints.length === 0 || fingerprints.length > HASHES.length) {
		throw new TypeError(`dtlsParameters.fingerprints: 1 to ${HASHES.length} of them`);
	}
	return {
		role: oneOf(role ?? 'auto', ['auto', 'client', 'server'], 'dtlsParameters.role'),
		fingerprints: fingerprints.map((item) => {
			const fingerprint = object(item, 'fingerprint');
			if (typeof fingerprint.value !== 'string' || !/^[0-9a-f]{2}(:[0-9a-f]{2}){19,63}$/i.test(fingerprint.value)) {
				throw new TypeError('fingerprint.value: octets in hexadecimal');
			}
			return { algorithm: oneOf(fingerprint.algorithm, HASHES, 'fingerprint.algorithm'), value: fingerprint.value };
		}),
	};
}

function sctpStreamParameters(value: unknown): Asked<'produceData'>['sctpStreamParameters'] {
	const fields = object(value, 'sctpStreamParameters');
	return {
		streamId: count(fields, 'streamId'),
		ordered: fields.ordered !== false,
		maxPacketLifeTime: count(fields, 'maxPacketLifeTime'),
		maxRetransmits: count(fields, 'maxRetransmits'),
	};
}

function nothing(value: unknown): Record<string, never> {
	object(value, 'request');
	return {};
}

function object(value: unknown, field: string): Fields {
	if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError(`${field}: an object`);
	return value as Fields;
}

function name(fields: Fields, field: string): string {
	const value = fields[field];
	if (typeof value === 'string' && value.length > 0 && value.length <= LIMITS.nameLength) return value;
	throw new TypeError(`${field}: 1 to ${LIMITS.nameLength} characters`);
}

function count(fields: Fields, field: string): number | undefined {
	const value = fields[field];
	if (value === undefined || value === null) return undefined;
	if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 65_535) return value;
	throw new TypeError(`${field}: 0 to 65535`);
}

function oneOf<const T extends string>(value: unknown, choices: readonly T[], field: string): T {
	const choice = choices.find((item) => item === value);
	if (choice === undefined) throw new TypeError(`${field}: one of ${choices.join(', ')}`);
	return choice;
}
