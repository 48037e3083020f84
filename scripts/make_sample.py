"""Makes demo/media/sample.webm (VP8, Opus) and sample.mp4 (H264, AAC): five seconds that loop without a seam.

Run it with the worker's Python, from the root of the project: the picture and the tone are the test source's, so that
whoever receives them can verify them. The results are committed.
"""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import av

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "worker"))

from aiortc_worker.media.pattern import Picture, Tone  # noqa: E402
from aiortc_worker.media.settings import CHUNK, SAMPLE_RATE  # noqa: E402

WIDTH, HEIGHT, RATE = 320, 240, Fraction(15)
SECONDS = 5
CODE = 1515
FREQUENCY = 660
KEYFRAMES = 15
"One a second: a receiver of the undecoded packets waits for the next one."

Options = dict[str, str]


def make(path: Path, video: str, audio: str, video_options: Options, container_options: Options) -> None:
    with av.open(str(path), "w", options=container_options) as container:
        pictures = container.add_stream(video, rate=RATE, options=video_options)
        pictures.width, pictures.height, pictures.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        pictures.bit_rate, pictures.gop_size = 120_000, KEYFRAMES
        tones = container.add_stream(audio, rate=SAMPLE_RATE, layout="mono")
        tones.bit_rate = 48_000
        resampler = av.AudioResampler(tones.format, "mono", SAMPLE_RATE, tones.codec_context.frame_size or CHUNK)

        picture, tone = Picture(WIDTH, HEIGHT, RATE, CODE), Tone(FREQUENCY, 1)
        drawn = 0
        for number in range(SECONDS * SAMPLE_RATE // CHUNK):
            for frame in resampler.resample(tone.draw(number)):
                container.mux(tones.encode(frame))
            while drawn / RATE < Fraction((number + 1) * CHUNK, SAMPLE_RATE):
                container.mux(pictures.encode(picture.draw(drawn)))
                drawn += 1
        for frame in resampler.resample(None):
            container.mux(tones.encode(frame))
        container.mux(tones.encode(None))
        container.mux(pictures.encode(None))
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes")


def main() -> None:
    folder = ROOT / "demo" / "media"
    folder.mkdir(parents=True, exist_ok=True)
    vp8 = {"deadline": "good", "cpu-used": "2", "auto-alt-ref": "0"}
    h264 = {"profile": "baseline", "preset": "slow", "bf": "0"}
    make(folder / "sample.webm", "libvpx", "libopus", vp8, {})
    make(folder / "sample.mp4", "libx264", "aac", h264, {"movflags": "+faststart"})


if __name__ == "__main__":
    main()
