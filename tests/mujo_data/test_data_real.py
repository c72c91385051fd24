"""The data sets at hand, as downloaded: counts of their README, and gravity where people are still."""

import os

import numpy as np
import pytest

import mujo


def norm(data, sensor: str, *classes: str) -> float:
    """Median |acc| of these classes, m/s²."""
    wanted = [data.classes.index(c) for c in classes]
    parts = [np.linalg.norm(b.signals[sensor]["acc"], axis=1) for b in data.bouts if b.label in wanted]
    return float(np.median(np.concatenate(parts)))


@pytest.fixture(scope="module", params=["motionsense", "mhealth", "utd_mhad"])
def loaded(request):
    return mujo.data.load(request.param)


@pytest.mark.data
@pytest.mark.skipif("MUJO_DATA" not in os.environ, reason="MUJO_DATA is not set")
def test_counts_and_gravity(loaded):
    counts = {
        "motionsense": (360, 24, 1_412_865),
        "mhealth": (120, 10, 344_700),
        "utd_mhad": (861, 8, sum(b.samples for b in loaded.bouts)),
    }
    samples = sum(b.samples for b in loaded.bouts)
    assert (len(loaded.bouts), len(loaded.people), samples) == counts[loaded.key]
    if loaded.key == "motionsense":
        assert norm(loaded, "pocket", "standing", "sitting") == pytest.approx(9.81, abs=0.1)
        quiet, brisk = (
            np.concatenate([b.signals["pocket"]["gyro"] for b in loaded.bouts if b.label == k])
            for k in (4, 3)
        )
        assert np.std(brisk) > 20 * np.std(quiet)
    if loaded.key == "mhealth":
        assert loaded.sensors == ("chest", "right_arm")
        assert (loaded.channels("chest"), loaded.channels("right_arm")) == (("acc",), ("gyro",))
        assert norm(loaded, "chest", "standing", "sitting", "lying") == pytest.approx(9.81, abs=0.4)
    if loaded.key == "utd_mhad":
        wrist = [b for b in loaded.bouts if "right_wrist" in b.signals]
        assert {b.label for b in wrist} == set(range(21))
        acc = np.concatenate([b.signals["right_wrist"]["acc"] for b in wrist])
        assert -8.1 * 9.80665 < acc.min() < -7.9 * 9.80665  # saturates at −8 g
        gyro = np.concatenate([b.signals["right_wrist"]["gyro"] for b in wrist])
        assert np.abs(gyro).max() == pytest.approx(np.deg2rad(1000), rel=0.02)


@pytest.mark.data
@pytest.mark.skipif("MUJO_DATA" not in os.environ, reason="MUJO_DATA is not set")
def test_every_real_mmfit_label_file_is_understood():
    from mujo.data.files import Files
    from mujo.data.mmfit import CARD, read_labels

    files = Files(CARD, os.path.join(os.environ["MUJO_DATA"], "mmfit_labels"))
    rows = [
        r for _, name in files.matching(r"w\d\d_labels\.csv") for r in read_labels(files.read(name), name)
    ]
    assert len(rows) == 616
    assert len({what for *_, what in rows}) == 10


@pytest.mark.asset
def test_spar_from_its_wheel():
    data = mujo.data.load("spar")
    assert (len(data.bouts), len(data.people), sum(b.samples for b in data.bouts)) == (140, 10, 244_102)
    assert np.bincount([b.label for b in data.bouts]).tolist() == [20] * 7
    acc = np.concatenate([b.signals["wrist"]["acc"] for b in data.bouts])
    assert np.median(np.linalg.norm(acc, axis=1)) == pytest.approx(9.81, abs=1.0)


@pytest.mark.asset
def test_spar_is_specific_force():
    """Where posture is known, the watch's axes (`im.placements()`, device) give the direction of up.

    Pendulum: arms hang, up is at the elbow's end: x points to the hand on the left wrist, to the elbow on the right.
    Internal and external rotation: elbows bent, thumbs up: 12 o'clock (y) points away from the thumb, down.
    """
    data = mujo.data.load("spar")
    mean = {
        (label, side): np.mean([
            b.signals["wrist"]["acc"].mean(axis=0)
            for b in data.bouts
            if b.label == label and f"/{side}/" in b.id
        ], axis=0)
        for label in (0, 3, 4)
        for side in ("left", "right")
    }  # fmt: skip
    assert mean[0, "left"][0] < -8
    assert mean[0, "right"][0] > 8
    assert max(mean[k, side][1] for k in (3, 4) for side in ("left", "right")) < -7


@pytest.mark.asset
def test_spar_refuses_a_file_that_asks_for_more_than_arrays(tmp_path):
    import io
    import pickle

    from mujo.data.spar import _OnlyArrays
    from mujo.errors import DatasetError

    class Harm:
        def __reduce__(self):
            return (os.system, ("true",))

    with pytest.raises(DatasetError, match="refused"):
        _OnlyArrays(io.BytesIO(pickle.dumps(Harm()))).load()
