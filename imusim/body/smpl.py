"""Body files that users bring: SMPL (24 joints), SMPL-H (52) and SMPL-X (55), as `.npz` or `.pkl`."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imusim.body.hands import JOINT_NAMES, merge_hands
from imusim.body.safe_pickle import load_pickled_arrays
from imusim.body.skeleton import check_parents
from imusim.body.skinned import SkinnedBody
from imusim.errors import ConfigError, MotionFileError, ShapeError
from imusim.types import Floats

_NEEDED = ("v_template", "shapedirs", "J_regressor", "kintree_table", "weights", "f")
_SHAPE_COEFFICIENTS = 16
_SMPLX_JOINTS = 55


def load_body(
    path: str | os.PathLike[str],
    n_shape: int | None = None,
    *,
    n_expression: int = 0,
    hands: str = "keep",
) -> SkinnedBody:
    """Read a body model from a file with SMPL's keys.

    Parameters
    ----------
    path : `.npz`, or `.pkl` as SMPL is handed out. A pickle is read without running what is in it.

    Other Parameters
    ----------------
    n_shape : how many of the file's shape directions to keep; by default 10 of SMPL's and 16 of SMPL-H's
        and SMPL-X's, or fewer if the file has fewer
    n_expression : how many of SMPL-X's expression directions to keep, as further shape coefficients after the
        `n_shape` first; by default none
    hands : "keep" (fingers, jaw and eyes are joints like any other) or "merge": the body gets SMPL's 24 joints,
        see `merge_hands`

    Notes
    -----
    Keys: `v_template` (V, 3), `shapedirs` (V, 3, B), `posedirs` (V, 3, 9 (J − 1)) or none, `J_regressor`
    (J, V), `kintree_table` (2, J), `weights` (V, J), `f` (F, 3). Rotations of fingers are counted from the flat hand
    of the file's template; the mean hand pose and the hand components are not used. SMPL-X files with 400 directions
    hold 300 of shape and 100 of expression; older ones with 20 hold 10 of each.

    Raises
    ------
    MotionFileError
        If the file is missing or damaged, lacks a key, or its arrays do not fit together.
    ShapeError, ConfigError
        If the file has fewer directions than asked for, or no hands to merge.
    """
    path = Path(path)
    content = _read(path)
    missing = [k for k in _NEEDED if k not in content]
    if missing:
        have = ", ".join(sorted(content)[:12]) or "nothing"
        hint = " This looks like motion: use read_motion." if "poses" in content or "trans" in content else ""
        raise MotionFileError(
            f"{path.name} is no body model: it lacks {', '.join(missing)} (it has {have}).{hint}"
        )

    v = _numbers(content["v_template"], "v_template", path, (None, 3))
    count = v.shape[0]
    tree = _numbers(content["kintree_table"], "kintree_table", path, (2, None))
    joints = tree.shape[1]
    regressor = _numbers(content["J_regressor"], "J_regressor", path, (joints, count))
    weights = _numbers(content["weights"], "weights", path, (count, joints))
    directions = _numbers(content["shapedirs"], "shapedirs", path, (count, 3, None))
    bends = content.get("posedirs")
    if bends is not None:
        bends = _numbers(bends, "posedirs", path, (count, 3, 9 * (joints - 1)))
        bends = bends if bends.any() else None
    faces = _numbers(content["f"], "f", path, (None, 3))
    if faces.size and (faces.min() < 0 or faces.max() >= count or (faces != np.round(faces)).any()):
        raise MotionFileError(f"{path.name}: f names vertices outside 0 … {count - 1}")
    total = weights.sum(axis=1)
    if not np.allclose(total, 1.0, atol=1e-3) or weights.min() < -1e-6:
        raise MotionFileError(
            f"{path.name}: weights must be ≥ 0 with rows that sum to 1 (sums {total.min():.3g} … {total.max():.3g})"
        )
    if hands not in ("keep", "merge"):
        raise ConfigError(f'hands={hands!r}, wanted "keep" or "merge"')
    body = SkinnedBody(
        name=path.stem,
        joint_names=JOINT_NAMES.get(joints) or ("pelvis", *(f"joint_{j}" for j in range(1, joints))),
        parents=_parents(tree, path),
        v_template=v,
        shapedirs=_directions(directions, joints, n_shape, n_expression, path),
        J_regressor=regressor,
        weights=weights / total[:, None],
        faces=faces.astype(np.int64),
        posedirs=bends,
        metadata={"file": path.name, "expression_coefficients": str(n_expression)},
    )
    return body if hands == "keep" else merge_hands(body)


def _directions(
    directions: Floats, joints: int, n_shape: int | None, n_expression: int, path: Path
) -> Floats:
    """The shape directions that are wanted, then the expressions, (V, 3, B)."""
    count = directions.shape[2]
    shapes, expressions = count, 0
    if joints == _SMPLX_JOINTS and count >= 400:
        shapes, expressions = 300, count - 300
    elif joints == _SMPLX_JOINTS and count >= 20:
        shapes, expressions = 10, 10
    wanted = n_shape
    if wanted is None:
        wanted = min(shapes, 10 if joints == 24 else _SHAPE_COEFFICIENTS)
    if not 0 <= wanted <= shapes:
        raise ShapeError(f"n_shape={n_shape}, but {path.name} has {shapes} shape directions")
    if not 0 <= n_expression <= expressions:
        raise ShapeError(
            f"n_expression={n_expression}, but {path.name} has {expressions} expression directions"
        )
    kept = [*range(wanted), *range(shapes, shapes + n_expression)]
    return np.ascontiguousarray(directions[..., kept])


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise MotionFileError(f"no such file: {path}")
    suffix = path.suffix.lower()
    if suffix == ".pkl":
        return load_pickled_arrays(path)
    if suffix != ".npz":
        raise MotionFileError(
            f"{path.name}: wanted a body model as .npz or .pkl, got {suffix or 'no suffix'}"
        )
    content: dict[str, Any] = {}
    try:
        if not zipfile.is_zipfile(path):
            raise MotionFileError(f"{path.name} is damaged or not an npz file")
        # opened here, since np.load leaves a damaged file open
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            for key in file.files:
                if key in (*_NEEDED, "posedirs"):
                    content[key] = file[key]
                else:
                    content[key] = None  # named in messages, not read
    except ValueError as error:
        if "allow_pickle" in str(error) or "Object arrays" in str(error):
            raise MotionFileError(
                f"{path.name} holds pickled objects, which could run code. Convert it: save plain arrays with numpy.savez."
            ) from None
        raise MotionFileError(f"{path.name} is damaged: {error}") from None
    except (OSError, EOFError, KeyError, MemoryError, zipfile.BadZipFile, AttributeError) as error:
        raise MotionFileError(f"{path.name} is damaged or not an npz file: {error}") from None
    return content


def _numbers(value: Any, name: str, path: Path, shape: tuple[int | None, ...]) -> Floats:
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise MotionFileError(f"{path.name}: {name} is not an array: {error}") from None
    if array.dtype.kind not in "fiub":
        raise MotionFileError(f"{path.name}: {name} has type {array.dtype}, wanted numbers")
    if array.ndim != len(shape) or any(
        w is not None and w != g for w, g in zip(shape, array.shape, strict=True)
    ):
        wanted = "(" + ", ".join("any" if w is None else str(w) for w in shape) + ")"
        raise MotionFileError(f"{path.name}: {name} has shape {array.shape}, wanted {wanted}")
    out = np.ascontiguousarray(array, dtype=np.float64)
    if not np.isfinite(out).all():
        raise MotionFileError(
            f"{path.name}: {name} has {int((~np.isfinite(out)).sum())} values that are not finite"
        )
    return out


def _parents(tree: Floats, path: Path) -> NDArray[np.int64]:
    """kintree_table (2, J) → parents; the root's is 2³² − 1 or −1 in the file."""
    parents = tree[0].astype(np.int64)
    parents[0] = -1
    try:
        return check_parents(parents, parents.size)
    except ShapeError as error:
        raise MotionFileError(f"{path.name}: kintree_table: {error}") from None
