"""Motion files: one reader a format, chosen by content and suffix, and the project's own format."""

from __future__ import annotations

from pathlib import Path

from imusim.errors import MotionFileError
from imusim.motion_io.npz import read_npz, save_motion
from imusim.types import Body, Motion

__all__ = ["SUFFIXES", "read_motion", "save_motion"]

SUFFIXES = (".npz", ".npy", ".bvh", ".trc", ".c3d", ".mvnx", ".mat", ".json", ".pkl", ".pt", ".pth")
"""What `read_motion` reads; `docs/motion_files.md` has the table."""


def read_motion(
    path: str | Path,
    rate_hz: float | None = None,
    body: Body | None = None,
    *,
    layout: str | None = None,
    up: str | None = None,
    unit: str | None = None,
    person: str | int | None = None,
    delay_s: float | None = None,
) -> Motion:
    """Read a motion file: metres, seconds, z up, whatever the file is in.

    Parameters
    ----------
    path : .npz of imusim, AMASS or SMPL parameters, .bvh, .mvnx, .trc, .c3d, .mat (Kinect of UTD-MHAD), .npy, .npz and
        .json with joint positions or landmarks, .pkl and .pt with SMPL parameters (read without running what is in
        them). The content decides, not only the name
    rate_hz : frames a second; overrides what the file says
    body : the body that SMPL parameters move (None: the open body), or that imusim's own file was saved with

    Other Parameters
    ----------------
    layout : what the columns of joint positions are: see `motion_io.layouts`; None: by their number
    up : axis of the file that points up ("y", "z", "-y" ...); None: as the format has it, checked against the person
    unit : "m", "cm", "mm"; None: as the format has it, checked against the person's size
    person : which person, where a file holds several
    delay_s : Kinect skeletons (.mat) only: by how much they are late against a sensor on the body, taken off their times;
        None: what is known of them (`motion_io.kinect.DELAY_S`); 0: the first frame is at 0

    Returns
    -------
    Motion
        Files of joint positions become a plain skeleton with constant bones. `im.fit(motion, body=...)` moves any motion
        on to another body.

    Raises
    ------
    MotionFileError
        If there is no such file, it is damaged, empty, or of a format that is not read.
    MissingExtra
        If the format needs an optional part ([c3d]).

    Warns
    -----
    QualityWarning
        On whatever was assumed, or found to contradict what the format says; also in ``metadata``.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise MotionFileError(f"{path}: {'is a folder' if path.is_dir() else 'no such file'}")
    if rate_hz is not None:
        from imusim.motion_io.clock import check_rate

        check_rate(rate_hz, "rate_hz")
    with path.open("rb") as file:
        start = file.read(512)
    if not start:
        raise MotionFileError(f"{path} is empty")
    matlab = start[:6] == b"MATLAB" or path.suffix.lower() == ".mat"
    if delay_s is not None and not matlab:
        raise MotionFileError(
            f"{path.name}: delay_s is for Kinect skeletons (.mat). Move other motions' times: "
            "dataclasses.replace(motion, time_s=motion.time_s - delay_s)."
        )
    suffix, text = path.suffix.lower(), start.decode("latin1").lstrip("\ufeff\xef\xbb\xbf \r\n\t")
    if start[:2] == b"PK" and suffix not in (".pt", ".pth", ".pkl"):
        return _npz(path, rate_hz, body, layout, up, unit)
    if text[:9].upper() == "HIERARCHY" or suffix == ".bvh":
        from imusim.motion_io.bvh import read_bvh

        return read_bvh(path, rate_hz=rate_hz, up=up, unit=unit)
    if matlab:
        from imusim.motion_io.kinect import DELAY_S, read_kinect_mat

        late = DELAY_S if delay_s is None else delay_s
        return read_kinect_mat(path, rate_hz=rate_hz, up=up, unit=unit, delay_s=late)
    if suffix == ".mvnx" or "<mvnx" in text:
        from imusim.motion_io.mvnx import read_mvnx

        return read_mvnx(path, rate_hz=rate_hz, up=up, unit=unit)
    if suffix == ".trc" or text.startswith("PathFileType"):
        from imusim.motion_io.trc import read_trc

        return read_trc(path, rate_hz=rate_hz, up=up, unit=unit)
    if suffix == ".c3d":
        from imusim.motion_io.c3d import read_c3d

        return read_c3d(path, rate_hz=rate_hz, up=up, unit=unit)
    if start[:6] == b"\x93NUMPY" or suffix == ".npy":
        from imusim.motion_io.landmarks import read_npy

        return read_npy(path, rate_hz=rate_hz, layout=layout, up=up, unit=unit)
    if suffix == ".json" or text[:1] in ("{", "["):
        from imusim.motion_io.landmarks import read_json

        return read_json(path, rate_hz=rate_hz, layout=layout, up=up, unit=unit)
    if suffix in (".pkl", ".pt", ".pth") or start[:1] == b"\x80":
        from imusim.motion_io.pickles import read_pickled
        from imusim.motion_io.smpl_params import read_smpl_params

        held = read_pickled(path, person)
        return read_smpl_params(held, path.name, rate_hz=rate_hz, body=body, up=up, unit=unit)
    if suffix == ".npz":
        raise MotionFileError(f"{path} is damaged or not an .npz file")
    raise MotionFileError(
        f"{path}: format {suffix or '(no suffix)'} is not supported. Supported: {', '.join(SUFFIXES)}."
    )


def _npz(
    path: Path, rate_hz: float | None, body: Body | None, layout: str | None, up: str | None, unit: str | None
) -> Motion:
    """What an .npz holds is seen from the names of its arrays."""
    from imusim.motion_io.arrays import npz_keys, read_arrays
    from imusim.motion_io.landmarks import looks_like_positions, read_positions
    from imusim.motion_io.smpl_params import looks_like_smpl, read_smpl_params

    keys = npz_keys(path)
    if "header" in keys:
        return read_npz(path, body, rate_hz)
    if looks_like_smpl(keys):
        return read_smpl_params(read_arrays(path), path.name, rate_hz=rate_hz, body=body, up=up, unit=unit)
    if looks_like_positions(keys):
        return read_positions(read_arrays(path), path.name, rate_hz=rate_hz, layout=layout, up=up, unit=unit)
    if "v_template" in keys:
        raise MotionFileError(f"{path.name} is a body model, not a motion: im.load_body reads it")
    raise MotionFileError(
        f"{path.name} holds no motion that is known (it has {', '.join(keys[:10]) or 'nothing'})"
    )
