import type { Session } from '../rpc/Session.ts';
import type { ObjectIn, VideoHeader } from '../rpc/types.ts';

/**
 * A picture in another format: the worker's libswscale makes it.
 *
 * @param planes without padding; they are read until it resolves
 * @returns the planes of the new format, without padding
 * @throws {InvalidStateError} the session is lost
 */
export async function convertPicture(
	session: Session,
	header: VideoHeader,
	planes: Uint8Array,
	to: ObjectIn<'FrameConverter'>,
): Promise<Uint8Array> {
	const converter = session.create('FrameConverter', to);
	const release = session.hold();
	try {
		return await new Promise((resolve, reject) => {
			converter.onmedia = (_, converted) => resolve(converted);
			converter.on('error', ({ name, message }) => reject(new DOMException(message, name)));
			converter.onlost = ({ message }) =>
				reject(new DOMException(`the session was lost: ${message}`, 'InvalidStateError'));
			// Media is not sent again by itself: either direction may have lost its part.
			converter.onresumed = () => converter.sendMedia(header, planes);
			converter.sendMedia(header, planes);
		});
	} finally {
		converter.drop();
		release();
	}
}
