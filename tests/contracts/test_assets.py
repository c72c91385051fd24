import os
import re
import zipfile
from pathlib import Path

import pytest

from imusim import assets
from imusim.assets import (
    ASSETS,
    Asset,
    asset,
    assets_table,
    cached_path,
    describe,
    fetch,
    sha256_of,
)
from imusim.errors import AssetError, UnknownNameError


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    """A cache folder of its own, and nothing overridden."""
    for name in list(os.environ):
        if name.startswith("IMUSIM_ASSET_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("IMUSIM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def wheelhouse(tmp_path, monkeypatch):
    """Two small files in a real wheel, found by a real pip without any network."""
    house = tmp_path / "wheels"
    house.mkdir()
    contents = {"one": b"first file\n" * 100, "two": b"second file\n" * 200}
    with zipfile.ZipFile(house / "imusim_sample-1.0-py3-none-any.whl", "w") as wheel:
        for name, data in contents.items():
            wheel.writestr(f"sample/{name}.bin", data)
        wheel.writestr(
            "imusim_sample-1.0.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: imusim-sample\nVersion: 1.0\n",
        )
        wheel.writestr(
            "imusim_sample-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        wheel.writestr("imusim_sample-1.0.dist-info/RECORD", "")
    import hashlib

    for name, data in contents.items():
        row = Asset(
            "pip:imusim-sample==1.0",
            f"sample/{name}.bin",
            hashlib.sha256(data).hexdigest(),
            len(data),
            "CC0",
            f"file {name}",
        )
        monkeypatch.setitem(ASSETS, name, row)
    no_network(monkeypatch)
    monkeypatch.setenv("PIP_FIND_LINKS", str(house))
    return contents


def no_network(monkeypatch):
    for name in list(os.environ):
        if name.upper().startswith("PIP_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")


def test_table_is_pinned_and_says_what_it_is():
    for name, row in ASSETS.items():
        assert re.fullmatch(r"pip:[\w-]+==[\d.]+|npm:@[\w/-]+@[\d.]+", row.package), name
        assert re.fullmatch(r"[0-9a-f]{64}", row.sha256), name
        assert row.size > 0, name
        assert row.licence, name
        assert row.what, name
    assert {"pose_detector", "pose_full", "pose_lite", "pose_heavy", "clip_walking", "spar"} <= set(ASSETS)
    assert ASSETS["pose_full"].sha256.startswith("e9a5c5cb17f7")


def test_fetches_once_with_its_siblings(empty_cache, wheelhouse, monkeypatch):
    path = asset("one")
    assert path.read_bytes() == wheelhouse["one"]
    assert cached_path("two").read_bytes() == wheelhouse["two"]  # came in the same wheel
    monkeypatch.delenv("PIP_FIND_LINKS")  # from now on nothing can be had
    assert asset("one") == path
    assert asset("two").read_bytes() == wheelhouse["two"]
    assert sorted(p.name for p in empty_cache.iterdir()) == sorted(p.name for p in (path, cached_path("two")))


def test_corrupt_cached_file_is_fetched_again(empty_cache, wheelhouse):
    path = asset("one")
    damaged = bytearray(path.read_bytes())
    damaged[7] ^= 1  # same size
    path.write_bytes(damaged)
    assert asset("one").read_bytes() == wheelhouse["one"]
    path.write_bytes(b"")
    assert asset("one").read_bytes() == wheelhouse["one"]


def test_corrupt_cache_and_no_network_is_an_error_not_the_corrupt_file(empty_cache, wheelhouse, monkeypatch):
    path = asset("one")
    path.write_bytes(b"x" * path.stat().st_size)
    monkeypatch.delenv("PIP_FIND_LINKS")
    with pytest.raises(AssetError, match="IMUSIM_ASSET_ONE"):
        asset("one")


def test_other_content_than_the_table_says_is_refused(empty_cache, wheelhouse, monkeypatch):
    row = ASSETS["one"]
    monkeypatch.setitem(
        ASSETS, "one", Asset(row.package, row.member, "0" * 64, row.size, row.licence, row.what)
    )
    with pytest.raises(AssetError, match="sha256"):
        asset("one")
    assert not cached_path("one").exists()


def test_no_network_names_the_file_and_the_variable(empty_cache, monkeypatch):
    no_network(monkeypatch)
    with pytest.raises(AssetError) as error:
        asset("pose_full")
    text = str(error.value)
    assert "mediapipe==0.10.21" in text
    assert str(cached_path("pose_full")) in text
    assert "IMUSIM_ASSET_POSE_FULL" in text
    assert "Traceback" not in text
    assert not empty_cache.exists() or not list(empty_cache.iterdir())


def test_missing_npm_is_said(empty_cache, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(AssetError, match="npm is not installed"):
        asset("pose_lite")


def test_a_file_of_ones_own(empty_cache, tmp_path, monkeypatch):
    mine = tmp_path / "mine.tflite"
    mine.write_bytes(b"mine")
    assert asset("pose_full", mine) == mine
    monkeypatch.setenv("IMUSIM_ASSET_POSE_FULL", str(mine))
    assert asset("pose_full") == mine
    monkeypatch.setenv("IMUSIM_ASSET_POSE_FULL", str(tmp_path / "no.tflite"))
    with pytest.raises(AssetError, match="no such file"):
        asset("pose_full")


def test_unknown_name_suggests(empty_cache):
    with pytest.raises(UnknownNameError, match="pose_full"):
        asset("pose_ful")
    with pytest.raises(UnknownNameError, match="nonsense"):
        fetch(["nonsense"])


def test_table_for_people(empty_cache, wheelhouse):
    before = {row["name"]: row["cached"] for row in assets_table()}
    asset("one")
    after = {row["name"]: row["cached"] for row in assets_table()}
    assert not before["one"]
    assert after["one"]
    for name in ASSETS:
        assert name in describe()


def test_cache_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.delenv("IMUSIM_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert assets.cache_folder() == tmp_path / "imusim"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert assets.cache_folder() == Path.home() / ".cache" / "imusim"


@pytest.mark.asset
def test_real_assets_hash_as_the_table_says():
    for name in ("pose_detector", "pose_full", "clip_walking", "clip_cam01", "calibration_cams"):
        path = asset(name)
        assert sha256_of(path) == ASSETS[name].sha256
