"""Frozen features: the same numbers as the reference implementations, and clear errors."""

import numpy as np
import pytest

from mujo.corpus.clip import Clip
from mujo.corpus.features import ImageFeatures, TextFeatures, find_image, find_text
from mujo.corpus.features.image import EfficientNetLite0, prepared
from mujo.corpus.features.wordpiece import words
from mujo.corpus.words import with_words
from mujo.errors import ConfigError

# transformers 4.57.1 BertModel with tokenizers 0.22.1, mean of the last layer, unit length; first four numbers
REFERENCE = {
    "bicep curls with dumbbells": (-0.043572, -0.027340, 0.060081, -0.020690),
    "Jumping-jacks: 20 reps!": (-0.070577, -0.024249, -0.024575, -0.002105),
    "Übung für die Schultern, café naïve": (0.056659, 0.062625, -0.031484, 0.055017),
    "深蹲 squat": (-0.057589, 0.052439, 0.058684, -0.023868),
    "supercalifragilisticexpialidocious unaffable": (0.034453, -0.041867, 0.006183, 0.034064),
}


@pytest.mark.asset
def test_sentences_have_the_reference_features():
    encode = find_text("minilm")
    assert isinstance(encode, TextFeatures)
    together = encode(list(REFERENCE))
    assert together.shape == (5, 384)
    assert np.linalg.norm(together, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert together[:, :4] == pytest.approx(np.array(list(REFERENCE.values())), abs=2e-6)
    alone = np.concatenate([encode([s]) for s in REFERENCE])
    assert alone == pytest.approx(together, abs=2e-6)
    near, far = encode(["squats", "deep knee bends", "eating soup"])[1:] @ encode(["squats"])[0]
    assert near > far


def test_words_are_split_as_bert_does():
    assert words("Café-Übung, 20×!\t深蹲 ok") == ["cafe", "-", "ubung", ",", "20×", "!", "深", "蹲", "ok"]
    assert words("  ") == []


def test_pictures_have_features_that_see_the_picture():
    encode = find_image("efficientnet-lite0")
    assert isinstance(encode, ImageFeatures)
    rng = np.random.default_rng(0)
    smooth = np.add.outer(np.arange(120), np.arange(160))[..., None].repeat(3, 2).astype(np.uint8)
    noisy = rng.integers(0, 255, (240, 120, 3), dtype=np.uint8)
    x = encode([smooth, noisy, smooth])
    assert x.shape == (3, 1280)
    assert np.array_equal(x[0], x[2])
    assert np.abs(x[0] - x[1]).mean() > 0.05


def test_the_network_knows_what_it_was_trained_on():
    """The whole network, classifier included, on the pictures' own scale: weights and scaling fit each other."""
    import torch

    net = EfficientNetLite0()._net
    yy, xx = np.mgrid[:300, :300]
    ball = ((xx - 150) ** 2 + (yy - 150) ** 2 < 90**2)[..., None]
    picture = np.where(ball, [230, 120, 30], [20, 60, 20]).astype(np.uint8)
    with torch.inference_mode():
        chance = net(torch.from_numpy(prepared(picture)[None])).softmax(1)[0]
    assert chance.max() > 20 / 1000  # an orange on a lawn is something to it, not noise


@pytest.mark.parametrize(
    ("name", "says"),
    [("bert", "package.module"), ("nowhere:Thing", "imported"), ("collections:OrderedDict", "width")],
)
def test_unknown_extractors_are_clear(name, says):
    with pytest.raises(ConfigError, match=says):
        find_text(name)
    with pytest.raises(ConfigError, match=says):
        find_image(name)
    assert find_text("none") is None


def test_weights_of_something_else_are_refused(tmp_path):
    import torch

    torch.save({"a": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(ConfigError, match="EfficientNet"):
        EfficientNetLite0(tmp_path / "other.pth")
    with pytest.raises(ConfigError, match="uint8"):
        prepared(np.zeros((10, 10), np.uint8))


class Letters:
    """Counts letters."""

    name, width = "letters", 3

    def __init__(self):
        self.calls = 0

    def __call__(self, sentences):
        self.calls += len(sentences)
        return np.array([[s.count(c) for c in "abc"] for s in sentences], np.float32)


def test_each_sentence_is_encoded_once():
    letters = Letters()
    clips = [
        Clip(
            key=f"k{i}",
            rate_hz=50.0,
            imu=np.zeros((5, 1, 6), np.float32),
            placements=("a",),
            text=("ab", "cab"),
        )
        for i in range(4)
    ]
    out = list(with_words(clips, letters))
    assert letters.calls == 2
    assert out[3].text_features.tolist() == [[1, 1, 0], [1, 1, 1]]
    assert find_text(f"{__name__}:Letters").width == 3
