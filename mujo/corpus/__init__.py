"""The parallel corpus: clips with video features, text, pose and simulated IMU, on one clock.

>>> import mujo
>>> from mujo.corpus import embedded
>>> corpus = mujo.corpus.write(embedded.clips(seed=0, per_movement=2), "corpus/")  # doctest: +SKIP
>>> for clip in mujo.corpus.open("corpus/").where(split="train"):                  # doctest: +SKIP
...     clip.imu.shape, clip.text
"""

from mujo.corpus.clip import Clip
from mujo.corpus.shards import Corpus, write
from mujo.corpus.shards import open_corpus as open

__all__ = ["Clip", "Corpus", "open", "write"]
