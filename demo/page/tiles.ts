import type { PeerInfo } from '../signalling.ts';
import { copyOf, element, part } from './dom.ts';

interface Tile {
	figure: HTMLElement;
	video: HTMLVideoElement;
	level: HTMLElement;
	stream: MediaStream;
	/** Ends the level meter. */
	silence: () => void;
}

/** A tile a peer: its picture, its sound and how loud that is. */
export class Tiles {
	readonly #container = element('tiles');
	readonly #unmute = element('unmute', HTMLButtonElement);
	readonly #tiles = new Map<string, Tile>();
	#onblind: ((error: unknown) => void) | null;
	#audio: AudioContext | null = null;

	/** @param onblind this browser does not show what comes; called once, with why */
	constructor(onblind: (error: unknown) => void) {
		this.#onblind = onblind;
		this.#unmute.addEventListener('click', () => this.unlock());
	}

	/** To be called in a handler of a click or key, without which browsers keep sound off. */
	unlock(): void {
		this.#audio ??= new AudioContext();
		void this.#audio.resume();
		this.#unmute.hidden = true;
		for (const { figure, video } of this.#tiles.values()) video.muted = 'own' in figure.dataset;
	}

	/** @param own this page's own: seen, but not heard */
	add(peer: PeerInfo, own = false): void {
		const figure = copyOf('tile');
		figure.dataset.peer = peer.name;
		if (own) figure.dataset.own = '';
		part(figure, '.name').textContent = own ? `${peer.name} (you)` : peer.name;
		part(figure, '.initial').textContent = [...peer.name][0]?.toUpperCase() ?? '';
		const video = document.createElement('video');
		video.autoplay = true;
		video.playsInline = true;
		video.muted = own;
		figure.prepend(video);
		const stream = new MediaStream();
		this.#try(() => {
			video.srcObject = stream;
		});
		// Sound alone plays too; a picture is there when it has a size.
		video.addEventListener('resize', () => figure.toggleAttribute('data-playing', video.videoWidth > 0));
		// The page's own stays the last one.
		this.#container.insertBefore(figure, own ? null : this.#container.querySelector('[data-own]'));
		this.#tiles.set(peer.id, { figure, video, level: part(figure, '.level'), stream, silence: () => {} });
	}

	remove(peerId: string): void {
		const tile = this.#tiles.get(peerId);
		if (!tile) return;
		tile.silence();
		tile.video.srcObject = null;
		tile.figure.remove();
		this.#tiles.delete(peerId);
	}

	/** Nothing more comes: who was there stays to be seen. */
	freeze(): void {
		for (const { silence, figure } of this.#tiles.values()) {
			silence();
			figure.removeAttribute('data-playing');
		}
	}

	clear(): void {
		for (const id of [...this.#tiles.keys()]) this.remove(id);
	}

	addTrack(peerId: string, track: MediaStreamTrack): void {
		const tile = this.#tiles.get(peerId);
		if (!tile) return;
		tile.stream.addTrack(track);
		if (track.kind === 'audio') {
			this.#try(() => {
				tile.silence = this.#measure(track, tile.level);
			});
		}
		void this.#play(tile);
	}

	removeTrack(peerId: string, track: MediaStreamTrack): void {
		const tile = this.#tiles.get(peerId);
		if (!tile) return;
		tile.stream.removeTrack(track);
		if (track.kind === 'audio') tile.silence();
		else tile.figure.removeAttribute('data-playing');
	}

	async #play({ video }: Tile): Promise<void> {
		try {
			await video.play();
		} catch (error) {
			// A play() that a newer track interrupts is followed by that track's own.
			if ((error as Error).name !== 'NotAllowedError') return;
			// After a reload nobody has clicked yet: the picture may play, the sound has to wait for that.
			video.muted = true;
			this.#unmute.hidden = false;
			await video.play().catch(() => {});
		}
	}

	/** Talk and files go on where pictures and sound cannot be had. */
	#try(show: () => void): void {
		try {
			show();
		} catch (error) {
			this.#onblind?.(error);
			this.#onblind = null;
		}
	}

	#measure(track: MediaStreamTrack, level: HTMLElement): () => void {
		this.#audio ??= new AudioContext();
		const source = this.#audio.createMediaStreamSource(new MediaStream([track]));
		const analyser = this.#audio.createAnalyser();
		source.connect(analyser);
		const samples = new Float32Array(analyser.fftSize);
		const show = (loudness: number) => level.style.setProperty('--level', loudness.toFixed(2));
		const timer = setInterval(() => {
			analyser.getFloatTimeDomainData(samples);
			const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
			// Half of the scale is 20 dB below the loudest sine.
			show(Math.max(0, Math.min(1, 1 + Math.log10(Math.sqrt(2 * power)) / 2)));
		}, 100);
		return () => {
			clearInterval(timer);
			source.disconnect();
			show(0);
		};
	}
}
