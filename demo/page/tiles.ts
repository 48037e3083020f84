import type { RemoteMedia } from '../client.ts';
import type { PeerInfo } from '../signalling.ts';

interface Tile {
	figure: HTMLElement;
	video: HTMLVideoElement;
	meter: HTMLMeterElement;
	stream: MediaStream;
	/** Ends the level meter. */
	silence: (() => void) | null;
}

/** A tile a peer: its picture, its sound and how loud that is. */
export class Tiles {
	readonly #container: HTMLElement;
	readonly #template: HTMLTemplateElement;
	readonly #tiles = new Map<string, Tile>();
	#audio: AudioContext | null = null;

	constructor(container: HTMLElement, template: HTMLTemplateElement) {
		this.#container = container;
		this.#template = template;
	}

	/** To be called in a handler of a click or key, without which browsers keep sound off. */
	unlock(): void {
		this.#audio ??= new AudioContext();
		void this.#audio.resume();
	}

	add(peer: PeerInfo): void {
		const figure = this.#template.content.firstElementChild!.cloneNode(true) as HTMLElement;
		figure.dataset.peer = peer.name;
		figure.querySelector('.name')!.textContent = peer.name;
		const video = document.createElement('video');
		video.autoplay = true;
		video.playsInline = true;
		figure.prepend(video);
		const stream = new MediaStream();
		video.srcObject = stream;
		// Sound alone plays too; a picture is there when it has a size.
		video.addEventListener('resize', () => figure.toggleAttribute('data-playing', video.videoWidth > 0));
		this.#container.append(figure);
		this.#tiles.set(peer.id, { figure, video, meter: figure.querySelector('meter')!, stream, silence: null });
	}

	remove(peer: PeerInfo): void {
		const tile = this.#tiles.get(peer.id);
		if (!tile) return;
		tile.silence?.();
		tile.video.srcObject = null;
		tile.figure.remove();
		this.#tiles.delete(peer.id);
	}

	clear(): void {
		for (const id of [...this.#tiles.keys()]) this.remove({ id, name: '', bot: false });
	}

	addMedia({ track, peer }: RemoteMedia): void {
		const tile = this.#tiles.get(peer.id);
		if (!tile) return;
		tile.stream.addTrack(track);
		if (track.kind === 'audio') tile.silence = this.#measure(track, tile.meter);
		void tile.video.play().catch(() => {
			// A play() that a newer track interrupts is followed by that track's own.
		});
	}

	removeMedia({ track, peer }: RemoteMedia): void {
		const tile = this.#tiles.get(peer.id);
		if (!tile) return;
		tile.stream.removeTrack(track);
		if (track.kind === 'audio') tile.silence?.();
		else tile.figure.removeAttribute('data-playing');
	}

	#measure(track: MediaStreamTrack, meter: HTMLMeterElement): () => void {
		const audio = this.#audio!;
		const source = audio.createMediaStreamSource(new MediaStream([track]));
		const analyser = audio.createAnalyser();
		source.connect(analyser);
		const samples = new Float32Array(analyser.fftSize);
		const timer = setInterval(() => {
			analyser.getFloatTimeDomainData(samples);
			meter.value = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length) * Math.SQRT2;
		}, 100);
		return () => {
			clearInterval(timer);
			source.disconnect();
			meter.value = 0;
		};
	}
}
