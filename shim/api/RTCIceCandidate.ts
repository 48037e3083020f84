import {
	defaulted,
	dictionary,
	domString,
	enumeration,
	nullable,
	optional,
	unsignedShort,
	usvString,
} from '../webidl/convert.ts';
import { defineInterface } from '../webidl/interface.ts';
import { type CandidateFields, parseCandidate } from './candidateAttribute.ts';

const inherited = {
	candidate: defaulted(domString, () => ''),
	sdpMid: defaulted(nullable(domString), () => null),
	sdpMLineIndex: defaulted(nullable(unsignedShort), () => null),
	usernameFragment: defaulted(nullable(domString), () => null),
};

/** RTCIceCandidateInit, what addIceCandidate takes. */
export const toCandidateInit = dictionary(inherited);

const relayProtocols = enumeration('RTCIceServerTransportProtocol', ['udp', 'tcp', 'tls']);
const toLocalInit = dictionary(
	{ relayProtocol: optional(nullable(relayProtocols)), url: optional(nullable(usvString)) },
	inherited,
);

/** RTCLocalIceCandidateInit: a candidate of ours may say which server it came from. */
export interface LocalIceCandidateInit extends RTCIceCandidateInit {
	relayProtocol?: 'udp' | 'tcp' | 'tls' | null;
	url?: string | null;
}

/** @see https://www.w3.org/TR/webrtc/#rtcicecandidate-interface */
export class RTCIceCandidate {
	readonly #init: ReturnType<typeof toLocalInit>;
	readonly #fields: CandidateFields | null;

	constructor(candidateInitDict: LocalIceCandidateInit = {}) {
		const init = toLocalInit(candidateInitDict, 'candidateInitDict');
		if (init.sdpMid === null && init.sdpMLineIndex === null)
			throw new TypeError('sdpMid and sdpMLineIndex are both null');
		this.#init = init;
		this.#fields = parseCandidate(init.candidate);
	}

	get candidate(): string {
		return this.#init.candidate;
	}

	get sdpMid(): string | null {
		return this.#init.sdpMid;
	}

	get sdpMLineIndex(): number | null {
		return this.#init.sdpMLineIndex;
	}

	get foundation(): string | null {
		return this.#fields?.foundation ?? null;
	}

	get component(): RTCIceComponent | null {
		return this.#fields?.component ?? null;
	}

	get priority(): number | null {
		return this.#fields?.priority ?? null;
	}

	get address(): string | null {
		return this.#fields?.address ?? null;
	}

	get protocol(): RTCIceProtocol | null {
		return this.#fields?.protocol ?? null;
	}

	get port(): number | null {
		return this.#fields?.port ?? null;
	}

	get type(): RTCIceCandidateType | null {
		return this.#fields?.type ?? null;
	}

	get tcpType(): RTCIceTcpCandidateType | null {
		return this.#fields?.tcpType ?? null;
	}

	get relatedAddress(): string | null {
		return this.#fields?.relatedAddress ?? null;
	}

	get relatedPort(): number | null {
		return this.#fields?.relatedPort ?? null;
	}

	get usernameFragment(): string | null {
		return this.#init.usernameFragment;
	}

	get relayProtocol(): 'udp' | 'tcp' | 'tls' | null {
		return this.#init.relayProtocol ?? null;
	}

	get url(): string | null {
		return this.#init.url ?? null;
	}

	toJSON(): RTCIceCandidateInit {
		const { candidate, sdpMid, sdpMLineIndex, usernameFragment } = this.#init;
		return { candidate, sdpMid, sdpMLineIndex, usernameFragment };
	}
}

defineInterface(RTCIceCandidate);
