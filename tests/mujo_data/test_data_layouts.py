"""Every loader on files in the official layout: units, channels, people, labels; and on what is wrong with files."""

import dataclasses

import made_files
import numpy as np
import pytest

import mujo
from mujo.errors import DatasetError, ImusimError

G = 9.80665


def test_motionsense_signs_units_and_channels(tmp_path):
    data = mujo.data.load("motionsense", made_files.motionsense(tmp_path))
    assert data.people == ("1", "2", "11")
    assert len(data.bouts) == 9
    assert {data.classes[b.label] for b in data.bouts} == {"downstairs", "walking", "standing"}
    signal = data.bouts[0].signals["pocket"]
    gravity, rate, user = (0.1 * np.arange(first, first + 3) for first in (4, 7, 10))  # columns count from 1
    np.testing.assert_allclose(signal["acc"][0], -(gravity + user) * G)  # Apple's sign, g
    np.testing.assert_allclose(signal["gyro"][0], rate)


def test_mmfit_sets_null_class_gaps_and_splits(tmp_path):
    data = mujo.data.load("mmfit", made_files.mmfit(tmp_path))
    assert data.people == ("00", "01", "14")
    assert data.sensors == ("left_wrist", "right_wrist")
    first = [b for b in data.bouts if b.person == "00"]
    assert [data.classes[b.label] for b in first] == [
        "non_activity", "squats", "squats", "non_activity", "lunges", "non_activity",
    ]  # fmt: skip
    assert [b.samples for b in first[1:3]] == pytest.approx([303, 300], abs=3)  # 3 s of video at 100 Hz
    np.testing.assert_allclose(first[1].signals["left_wrist"]["acc"], [[1, 2, 3]] * first[1].samples)
    np.testing.assert_allclose(first[1].signals["right_wrist"]["gyro"], [[10, 11, 12]] * first[1].samples)
    missing = np.concatenate([np.isnan(b.signals["left_wrist"]["acc"]).all(axis=1) for b in first])
    assert missing.sum() == pytest.approx(200, abs=3)
    windows = data.windows(window_s=2.0, null="drop")
    assert windows.dropped == 0
    assert "non_activity" not in {windows.classes[i] for i in windows.y}
    assert data.windows(window_s=2.0).dropped > 0
    everyone = {p for part in data.published["unseen"].values() for p in part}
    assert len(everyone) == 18
    assert set(data.published["unseen"]["test"]) == {"00", "05", "12", "13", "20"}


def test_myogym_columns_units_and_repeated_rows(tmp_path):
    data = mujo.data.load("myogym", made_files.myogym(tmp_path))
    assert data.missing == {"repeated rows": 10}
    assert [(b.person, data.classes[b.label]) for b in data.bouts] == [
        ("1", "none"), ("1", "wide-grip pulldown behind the neck"), ("2", "none"), ("2", "lying rear delt raise"),
    ]  # fmt: skip
    signal = data.bouts[0].signals["right_forearm"]
    assert len(signal["acc"]) == 290
    np.testing.assert_allclose(signal["acc"][0], np.array([10, 11, 12]) * G)  # MATLAB's columns 10 to 12, g
    np.testing.assert_allclose(signal["gyro"][0], np.deg2rad([14, 15, 16]))
    assert (data.windows(null="drop").y != data.classes.index("none")).all()


def test_hapt_labels_count_from_one(tmp_path):
    data = mujo.data.load("hapt", made_files.hapt(tmp_path))
    assert [(b.person, data.classes[b.label], b.samples) for b in data.bouts] == [
        ("1", "standing", 200), ("1", "walking", 400), ("1", "sitting", 300), ("2", "stand to sit", 80),
    ]  # fmt: skip
    np.testing.assert_allclose(data.bouts[1].signals["waist"]["acc"][0], (np.array([1, 2, 3]) + 0.2) * G)
    np.testing.assert_allclose(data.bouts[0].signals["waist"]["gyro"][0], [11, 12, 13])
    short = data.windows(window_s=2.0)  # 80 samples are shorter than a window
    assert short.padded == 1
    np.testing.assert_array_equal(short.X[short.unit == 3][0, :, -1], short.X[short.unit == 3][0, :, 79])


def test_dsads_segments_are_joined_and_a_missing_one_is_a_gap(tmp_path):
    data = mujo.data.load("dsads", made_files.dsads(tmp_path))
    assert [b.samples for b in data.bouts[:2]] == [375, 125]
    assert data.rate_hz == 25.0
    np.testing.assert_allclose(data.bouts[0].signals["left_leg"]["gyro"][0], [40, 41, 42])
    windows = data.windows(rate_hz=25, sensors=["right_arm"], channels=["acc"])
    assert windows.channel_names == ("right_arm.acc.x", "right_arm.acc.y", "right_arm.acc.z")
    np.testing.assert_allclose(windows.X[0, :, 0], [10, 11, 12])


def test_an_archive_reads_like_its_folder(tmp_path):
    folder = made_files.hapt(tmp_path / "plain")
    archive = made_files.zipped(folder, tmp_path / "hapt.zip")
    a, b = mujo.data.load("hapt", folder), mujo.data.load("hapt", archive)
    assert [x.id for x in a.bouts] == [x.id for x in b.bouts]
    np.testing.assert_array_equal(a.windows().X, b.windows().X)
    (tmp_path / "both").mkdir()
    archive.rename(tmp_path / "both" / "as downloaded.zip")
    assert len(mujo.data.load("hapt", tmp_path / "both").bouts) == len(a.bouts)


def test_missing_says_what_and_where(tmp_path, monkeypatch):
    monkeypatch.delenv("MUJO_DATA", raising=False)
    with pytest.raises(DatasetError, match=r"MyoGym\.mat.*oulu"):
        mujo.data.load("myogym")
    with pytest.raises(DatasetError, match="official layout"):
        mujo.data.load("dsads", made_files.hapt(tmp_path))
    with pytest.raises(ImusimError, match="mhealth"):
        mujo.data.load("mhelth")


def test_half_a_download_is_told(tmp_path):
    archive = made_files.zipped(made_files.hapt(tmp_path / "plain"), tmp_path / "hapt.zip")
    archive.write_bytes(archive.read_bytes()[:-300])
    with pytest.raises(DatasetError, match="half-downloaded"):
        mujo.data.load("hapt", archive)


def test_damaged_content_is_told(tmp_path):
    folder = made_files.hapt(tmp_path)
    cut = folder / "RawData" / "gyro_exp02_user01.txt"
    whole = cut.read_text()
    cut.write_text(whole[: len(whole) // 2].rsplit("\n", 1)[0] + "\n")
    with pytest.raises(DatasetError, match="cut short"):
        mujo.data.load("hapt", folder)
    cut.write_text(whole.replace("e+01", "", 5)[:-9] + "abc\n")
    with pytest.raises(DatasetError, match=r"not a table of numbers|columns"):
        mujo.data.load("hapt", folder)
    cut.unlink()
    with pytest.raises(DatasetError, match=r"gyro_exp02_user01\.txt is missing"):
        mujo.data.load("hapt", folder)


def test_pickles_are_refused_with_the_way_out(tmp_path):
    folder = made_files.mmfit(tmp_path)
    np.save(folder / "w00" / "w00_sw_l_acc.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(DatasetError, match=r"could run code.*np\.save"):
        mujo.data.load("mmfit", folder)


def test_wrong_labels_and_columns_are_told(tmp_path):
    folder = made_files.mmfit(tmp_path)
    (folder / "w01" / "w01_labels.csv").write_text("10,20,5,handstand\n")
    with pytest.raises(DatasetError, match="handstand"):
        mujo.data.load("mmfit", folder)
    (folder / "w01" / "w01_labels.csv").unlink()
    with pytest.raises(DatasetError, match=r"w01_labels\.csv is missing"):
        mujo.data.load("mmfit", folder)


def test_a_person_without_windows_is_a_warning(tmp_path):
    data = mujo.data.load("hapt", made_files.hapt(tmp_path))
    empty = {"acc": np.full((300, 3), np.nan), "gyro": np.zeros((300, 3))}
    bouts = [dataclasses.replace(b, signals={"waist": empty}) if b.person == "2" else b for b in data.bouts]
    half = dataclasses.replace(data, bouts=tuple(bouts))
    with pytest.warns(UserWarning, match="people 2"):
        half.windows()
