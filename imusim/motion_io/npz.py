"""The project's own motion file: plain arrays and a JSON header in an .npz, no pickles."""

from __future__ import annotations

import hashlib
import json
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imusim._version import __version__
from imusim.atomic import written_together
from imusim.body import SkeletonBody, open_body
from imusim.errors import ImusimError, MotionFileError, QualityWarning
from imusim.export.plain import plain
from imusim.motion_io.arrays import read_arrays
from imusim.motion_io.clock import frame_times
from imusim.types import Body, Motion

FORMAT = "imusim-motion-1"
_ARRAYS = ("time_s", "root_position_m", "joint_rotation_wxyz", "shape", "shot", "valid", "confidence")
_OPTIONAL = ("rotation_sd_rad", "root_sd_m")


def save_motion(path: str | Path, motion: Motion) -> Path:
    """Write a motion as ``.npz``: arrays under the names of `Motion`'s fields, and a JSON string ``header``.

    The body is named, not copied (other people's models may not be); a plain skeleton is copied.

    Raises
    ------
    OutputError
        If it cannot be written; nothing half-written is left.
    """
    path = Path(path)
    path = path if path.suffix.lower() == ".npz" else path.with_name(path.name + ".npz")
    body = motion.body
    arrays = {name: getattr(motion, name) for name in _ARRAYS}
    arrays |= {name: getattr(motion, name) for name in _OPTIONAL if getattr(motion, name) is not None}
    arrays["parents"] = np.asarray(body.parents)
    arrays["rest_joints_m"] = body.rest_joints(motion.shape)
    header = {
        "format": FORMAT,
        "imusim": __version__,
        "conventions": "m, s; world z up; quaternions wxyz, joint to parent; root_position_m is the root joint's",
        "body": {"name": body.name, "kind": _kind(body), "sha256": body_digest(body)},
        "joint_names": list(body.joint_names),
        "up_sd_deg": float(motion.up_sd_deg),
        "bandwidth_hz": motion.bandwidth_hz,
        "metadata": plain(motion.metadata),
    }
    with written_together(path) as (temporary,), open(temporary, "wb") as file:
        np.savez_compressed(file, header=np.array(json.dumps(header)), **arrays)
    return path


def read_npz(path: Path, body: Body | None = None, rate_hz: float | None = None) -> Motion:
    """Read what `save_motion` wrote.

    Parameters
    ----------
    path : the file
    body : the body it was saved with; not needed for the open body and for plain skeletons
    rate_hz : frames a second, instead of the times in the file

    Raises
    ------
    MotionFileError
        If the file is damaged or of another kind, or belongs to a body that must be given and was not.

    Warns
    -----
    QualityWarning
        If the body has changed since.
    """
    try:
        arrays: dict[str, NDArray[Any]] = read_arrays(path)
        header = json.loads(str(arrays["header"]))
        if header["format"] != FORMAT:
            raise MotionFileError(f"{path} holds {header['format']!r}, wanted a motion ({FORMAT})")
        names, about = tuple(header["joint_names"]), header["body"]
        body = _body(path, body, about, names, arrays)
        if rate_hz is not None:
            arrays["time_s"] = frame_times(arrays["time_s"].size, rate_hz, path.name)
        return Motion(
            **{name: arrays[name] for name in _ARRAYS},  # type: ignore[arg-type]
            **{name: arrays[name] for name in _OPTIONAL if name in arrays},  # type: ignore[arg-type]
            body=body,
            up_sd_deg=float(header["up_sd_deg"]),
            bandwidth_hz=header.get("bandwidth_hz"),
            metadata=header["metadata"],
        )
    except MotionFileError:
        raise
    except (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile, ImusimError) as error:
        why = f"it has no {error}" if isinstance(error, KeyError) else str(error).strip().split("\n")[0]
        raise MotionFileError(f"{path} is damaged or not a motion of imusim: {why}") from None


def body_digest(body: Body) -> str:
    """Return a SHA-256 of what a motion means on this body: joints, parents, rest pose and skin, to a micrometre."""
    digest = hashlib.sha256(json.dumps([body.name, list(body.joint_names), body.n_shape]).encode())
    for array in (body.parents, body.rest_joints(), body.rest_vertices(), body.weights, body.faces):
        if array is not None:
            digest.update(np.ascontiguousarray(np.round(array, 6) + 0).tobytes())  # + 0: no negative zeros
    return digest.hexdigest()


def _kind(body: Body) -> str:
    if isinstance(body, SkeletonBody):
        return "skeleton"
    return "open" if body is open_body() else "given"


def _body(
    path: Path,
    given: Body | None,
    about: dict[str, Any],
    names: tuple[str, ...],
    arrays: dict[str, NDArray[Any]],
) -> Body:
    if given is None and about["kind"] == "skeleton":
        return SkeletonBody(names, arrays["parents"], arrays["rest_joints_m"], name=about["name"])
    if given is None and about["kind"] != "open":
        raise MotionFileError(
            f"{path} moves the body {about['name']!r}, which is not part of imusim. "
            "Give it: read_motion(path, body=load_body(...))."
        )
    body: Body = open_body() if given is None else given
    if tuple(body.joint_names) != names:
        raise MotionFileError(
            f"{path} was saved with the body {about['name']!r}; {body.name!r} has other joints"
        )
    if body_digest(body) != about["sha256"]:
        warnings.warn(
            QualityWarning(f"{path} was saved with another version of the body {about['name']!r}"),
            stacklevel=3,
        )
    return body
