import { defineInterface, requireKey } from '../webidl/interface.ts';
import { ranges } from './constraints.ts';
import type { Kind } from './MediaStreamTrack.ts';

interface DeviceInit {
	kind: Kind;
	deviceId: string;
	groupId: string;
	label: string;
}

/** @see https://www.w3.org/TR/mediacapture-streams/#device-info */
export class MediaDeviceInfo {
	readonly #device: DeviceInit;

	constructor(key: unknown = undefined, device?: DeviceInit) {
		requireKey(key);
		this.#device = device!;
	}

	get deviceId(): string {
		return this.#device.deviceId;
	}

	get kind(): MediaDeviceKind {
		return `${this.#device.kind}input`;
	}

	get label(): string {
		return this.#device.label;
	}

	get groupId(): string {
		return this.#device.groupId;
	}

	toJSON(): { deviceId: string; kind: MediaDeviceKind; label: string; groupId: string } {
		const { deviceId, kind, label, groupId } = this.#device;
		return { deviceId, kind: `${kind}input`, label, groupId };
	}
}

/**
 * A test camera or microphone.
 * @see https://www.w3.org/TR/mediacapture-streams/#input-specific-device-info
 */
export class InputDeviceInfo extends MediaDeviceInfo {
	/** What getUserMedia can ask of it. */
	getCapabilities(): MediaTrackCapabilities {
		const [deviceId, groupId] = [super.deviceId, super.groupId];
		if (super.kind === 'audioinput') {
			const { sampleRate, channelCount } = ranges;
			return { deviceId, groupId, sampleRate: limits(sampleRate), channelCount: limits(channelCount) };
		}
		const { width, height, frameRate } = ranges;
		return { deviceId, groupId, width: limits(width), height: limits(height), frameRate: limits(frameRate) };
	}
}

const testGroup = 'test';

/** What the test sources say they are. */
export const testDevices: Record<Kind, DeviceInit> = {
	audio: { kind: 'audio', deviceId: 'test-microphone', label: 'Test microphone', groupId: testGroup },
	video: { kind: 'video', deviceId: 'test-camera', label: 'Test camera', groupId: testGroup },
};

function limits({ min, max }: { min: number; max: number }): { min: number; max: number } {
	return { min, max };
}

defineInterface(MediaDeviceInfo);
defineInterface(InputDeviceInfo);
