"""A corpus from a folder of videos, with the embedded movements beside it.

    python examples/05_build_corpus.py my_videos/ corpus/

Every video may have a ``<name>.info.json`` beside it, as a downloader writes it: its chapters become clips.
"""

import sys

import mujo
from mujo.corpus import embedded
from mujo.corpus.make import Settings


def main(videos, out, per_movement=2, **settings):
    """Build, add, look."""
    corpus = mujo.corpus.build(
        videos, out, settings=Settings(**settings), workers=1
    )  # go on after any interruption
    made = embedded.clips(
        seed=0, per_movement=per_movement, placements=corpus.manifest["settings"]["placements"]
    )
    corpus = mujo.corpus.write(made, out, name="embedded")  # a substitute for many videos, with exact truth
    print(corpus.describe())
    for clip in corpus.where(source="video"):
        print(clip.key, clip.text, clip.imu.shape, "T samples, S sensors, acc xyz + gyro xyz")
    return corpus


if __name__ == "__main__":
    main(*sys.argv[1:3])
