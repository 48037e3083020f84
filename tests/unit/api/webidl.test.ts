import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as api from '../../../shim/api/index.ts';
import { bindContext, contextOf } from '../../../shim/rpc/context.ts';
import type { Session } from '../../../shim/rpc/Session.ts';
import {
	defaulted,
	dictionary,
	domString,
	enumeration,
	optional,
	required,
	sequence,
	unsignedShort,
	unsignedShortEnforced,
	usvString,
} from '../../../shim/webidl/convert.ts';
import { defineEventHandlers } from '../../../shim/webidl/eventHandlers.ts';

test('a dictionary reads its members in order, the inherited ones first, each once', () => {
	const read: string[] = [];
	const toDictionary = dictionary({ b: optional(domString), a: required(domString) }, { z: optional(domString) });
	const given = new Proxy(
		{ a: 1, b: 2, z: 3, other: 4 },
		{
			get: (target, name) => {
				read.push(String(name));
				return Reflect.get(target, name);
			},
		},
	);
	assert.equal(toDictionary(given, 'd'), { z: '3', a: '1', b: '2' });
	assert.equal(read, ['z', 'a', 'b']);
	assert.throws(() => toDictionary({}, 'd'), /d\.a is required/);
	assert.throws(() => toDictionary(1, 'd'), /no dictionary/);
	const list = dictionary({ list: defaulted(sequence(domString), () => []) });
	assert.is.not(list(null, 'd').list, list(undefined, 'd').list);
});

test('numbers out of range throw where Web IDL enforces it, and wrap where not', () => {
	assert.is(unsignedShortEnforced(65_535.9, 'n'), 65_535);
	assert.is(unsignedShortEnforced('12', 'n'), 12);
	for (const value of [-1, 65_536, Number.NaN, Number.POSITIVE_INFINITY, 'x', 1n]) {
		assert.throws(() => unsignedShortEnforced(value, 'n'), TypeError);
	}
	assert.is(Object.is(unsignedShortEnforced(-0.5, 'n'), 0), true);
	assert.is(unsignedShort(65_537, 'n'), 1);
});

test('strings, enumerations, sequences', () => {
	assert.is(usvString('a\ud800b', 's'), 'a\ufffdb');
	assert.throws(() => domString(Symbol('s'), 's'), TypeError);
	const toColour = enumeration('Colour', ['red']);
	assert.is(toColour('red', 'c'), 'red');
	assert.throws(() => toColour('blue', 'c'), /no Colour/);
	assert.equal(sequence(domString)(new Set([1, 2]), 's'), ['1', '2']);
	assert.throws(() => sequence(domString)('ab', 's'), TypeError);
	assert.throws(() => sequence(toColour)(['red', 'blue'], 's'), /s\[1\]/);
});

test('an event handler keeps its place when it is replaced, and loses it when it is removed', () => {
	class Target extends EventTarget {
		declare onping: ((event: Event) => unknown) | null;
	}
	defineEventHandlers(Target, ['ping']);
	const target = new Target();
	const log: string[] = [];
	assert.is(target.onping, null);
	target.onping = () => log.push('old');
	target.addEventListener('ping', () => log.push('listener'));
	target.onping = () => log.push('new');
	target.dispatchEvent(new Event('ping'));
	assert.equal(log.splice(0), ['new', 'listener']);
	target.onping = null;
	target.onping = () => log.push('last');
	target.dispatchEvent(new Event('ping'));
	assert.equal(log.splice(0), ['listener', 'last']);
	Reflect.set(target, 'onping', 'no function');
	assert.is(target.onping, null);
	target.onping = () => false;
	const event = new Event('ping', { cancelable: true });
	target.dispatchEvent(event);
	assert.ok(event.defaultPrevented);
	assert.throws(() => Reflect.get(Target.prototype, 'onping', {}), TypeError);
});

test('each class has its tag, enumerable members, and a constructor for those that pages may make', () => {
	for (const [name, type] of Object.entries(api)) {
		const { prototype } = type as { prototype: object };
		assert.is(Reflect.get(prototype, Symbol.toStringTag), name);
		const hidden = Object.entries(Object.getOwnPropertyDescriptors(prototype))
			.filter(([member, { enumerable }]) => member !== 'constructor' && !enumerable)
			.map(([member]) => member);
		assert.equal(hidden, [], name);
	}
	const illegal = ['RTCDataChannel', 'RTCRtpSender', 'RTCIceTransport', 'RTCStatsReport', 'RTCCertificate'] as const;
	for (const name of illegal) assert.throws(() => Reflect.construct(Reflect.get(api, name), []), /Illegal constructor/);
	assert.is(api.RTCPeerConnection.length, 0);
});

test("a bound class keeps name, length and statics, and is its objects' class", () => {
	const context = { session: () => ({}) as Session };
	const Bound = bindContext(api.RTCPeerConnection, context);
	assert.equal([Bound.name, Bound.length], ['RTCPeerConnection', 0]);
	assert.is(contextOf(class extends Bound {}), context);
	assert.type(Bound.generateCertificate, 'function');
	assert.ok(Bound.prototype instanceof api.RTCPeerConnection);
	assert.throws(() => contextOf(api.RTCDataChannel), /belongs to no shim/);
});

test('a candidate shows its fields, and nulls when its text is none', () => {
	const text =
		'candidate:842163049 1 tcp 1677729535 2001:db8::1 9 typ srflx raddr 0.0.0.0 rport 0 tcptype active generation 0 ufrag abcd';
	const candidate = new api.RTCIceCandidate({ candidate: text, sdpMid: 'a', usernameFragment: 'abcd' });
	assert.equal(
		[candidate.foundation, candidate.component, candidate.protocol, candidate.priority, candidate.address],
		['842163049', 'rtp', 'tcp', 1_677_729_535, '2001:db8::1'],
	);
	assert.equal(
		[candidate.port, candidate.type, candidate.tcpType, candidate.relatedAddress, candidate.relatedPort],
		[9, 'srflx', 'active', '0.0.0.0', 0],
	);
	assert.equal(candidate.toJSON(), { candidate: text, sdpMid: 'a', sdpMLineIndex: null, usernameFragment: 'abcd' });
	const none = new api.RTCIceCandidate({ candidate: 'candidate:nonsense', sdpMLineIndex: 1 });
	assert.equal([none.foundation, none.port, none.type], [null, null, null]);
	assert.throws(() => new api.RTCIceCandidate({ candidate: text }), TypeError);
});

test('events take their dictionaries, and refuse what is missing', () => {
	const error = new api.RTCError({ errorDetail: 'sdp-syntax-error', sdpLineNumber: 3 }, 'words');
	assert.equal(
		[error.name, error.message, error.sdpLineNumber, error.sctpCauseCode],
		['OperationError', 'words', 3, null],
	);
	assert.instance(error, DOMException);
	assert.is(new api.RTCErrorEvent('error', { error }).error, error);
	assert.throws(() => Reflect.construct(api.RTCErrorEvent, ['error', {}]), TypeError);
	assert.throws(() => Reflect.construct(api.RTCError, [{}]), TypeError);
	assert.throws(() => Reflect.construct(api.RTCTrackEvent, ['track', { receiver: null }]), TypeError);
	assert.is(new api.RTCPeerConnectionIceEvent('icecandidate').candidate, null);
	const failed = new api.RTCPeerConnectionIceErrorEvent('icecandidateerror', { errorCode: 701, url: 'stun:x' });
	assert.equal([failed.errorCode, failed.url, failed.port, failed.errorText], [701, 'stun:x', null, '']);
});

test.run();
