"""Shape and pose of a motion refined until the body's outline is that of the person.

Landmarks say where joints are; how stout the person is, only the outline tells. All corrections are in units of their
standard deviations, so that the objective is one of maximum a posteriori: squared differences of soft silhouette and mask
over all pixels, and the squared corrections. Corrections of root and joints are cubic splines with a knot every second, so
that the accelerations of the motion, which masks know nothing of, stay what they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import BSpline
from scipy.ndimage import distance_transform_edt
from torch import Tensor
from torch.nn.functional import avg_pool2d

from imusim import rotation
from imusim.types import Floats, Motion
from imusim.viz.render import Camera
from mujo.errors import ConfigError, ShapeError
from mujo.render.meshes import pytorch3d_part, valid_frames
from mujo.render.silhouette import Silhouettes, part_of
from mujo.render.skin import Skin, quaternion_matrix, vector_matrix

_SHAPE_SD = 1.0  # coefficients of a body are in standard deviations of people
_ROOT_SD_M = 0.03
_ROTATION_SD_RAD = 0.05
_HEIGHT_SD_M = 0.005
_KNOT_S = 1.0
_BLUR_PX = 1.0
_ROOM = (
    0.15  # about the masks, in their size: a body that is off by more is not pulled back by what is outside
)
# Of a pixel's value, as if pixels were independent: a segmenter's edge is off by a pixel for a whole limb at a time.
_PIXEL_SD = 0.5
_RATE = 0.08  # Adam, in standard deviations a step


@dataclass(frozen=True)
class Refined:
    """What refinement found.

    Attributes
    ----------
    motion : the refined motion; its metadata has ``silhouette``
    frames : (N,) frame numbers that had masks
    iou_before, iou_after : (N,) area that body and mask share over the area of both, 0 … 1, of hard silhouettes
    loss : (iterations,) objective before each step
    """

    motion: Motion
    frames: NDArray[np.int64]
    iou_before: Floats
    iou_after: Floats
    loss: Floats


def refine(
    motion: Motion,
    masks: ArrayLike,
    camera: Camera | Callable[[int], Camera] | None = None,
    *,
    frames: ArrayLike | None = None,
    shape: bool = True,
    root: bool = True,
    pose: bool = False,
    keep_height: bool = True,
    long_side_px: int = 128,
    faces: int | None = 2000,
    iterations: int = 60,
    frames_a_step: int = 8,
    seed: int = 0,
    device: torch.device | str | None = None,
    progress: bool = True,
) -> Refined:
    """Refine shape, path and (if wanted) pose of a motion against masks of the person.

    Parameters
    ----------
    motion : of a body with a skin, in the pose that landmarks gave
    masks : (N, H, W), bool or 0 … 1 (the person is where it is at least 0.5); of the size of the camera's picture
    camera : the camera, or frame number → camera; None: the camera of the video that the motion was fitted to

    Other Parameters
    ----------------
    frames : (N,) frame numbers of the masks; None: all frames of the motion, in order. A few dozen, spread over the
        clip and over poses, say as much as all
    shape, root, pose : what may change: shape coefficients, root position, joint rotations
    keep_height : hold the stature where it is, as the person's height is known and a single camera cannot tell a tall
        person from a near one
    long_side_px : the part of the picture where the person is seen is taken in blocks of pixels until it is not longer than
        this; where in a block the edge runs is kept
    faces : triangles of the mesh that is drawn (`Skin`); None: all
    iterations : gradient steps
    frames_a_step : frames drawn a step
    seed : of the choice of frames a step
    device : None: a GPU if there is one. On a processor, a step of eight 128-pixel frames takes seconds
    progress : whether to show a bar on a terminal

    Raises
    ------
    ShapeError, ConfigError
        If masks, frames and cameras do not fit together, or the body has no skin or nothing may change.
    MissingPyTorch3D
        If PyTorch3D is not installed.
    """
    from tqdm import tqdm

    pytorch3d_part("renderer")
    if not (shape or root or pose):
        raise ConfigError("nothing may change: shape, root and pose are all False")
    if iterations < 1 or frames_a_step < 1 or long_side_px < 8:
        raise ConfigError(
            f"iterations={iterations}, frames_a_step={frames_a_step}, long_side_px={long_side_px}: "
            "wanted at least 1, 1 and 8"
        )
    chosen = valid_frames(motion, np.arange(motion.time_s.size) if frames is None else frames)
    where = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    views = _cameras(motion, camera, chosen)
    away, views = _distances(masks, views, long_side_px, where)
    target = torch.exp(-(away.clamp(min=0.0) ** 2) / _BLUR_PX**2)
    skin = Skin(motion.body, faces=faces, device=where)
    problem = _Problem(motion, skin, chosen, shape, root, pose, keep_height)
    before = _iou(problem, away, views)

    optimiser = torch.optim.Adam(problem.free, lr=_RATE)
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, iterations, eta_min=0.05 * _RATE)
    rng = np.random.default_rng(seed)
    losses = np.empty(iterations)
    size = min(frames_a_step, len(chosen))
    bar = tqdm(range(iterations), desc="silhouettes", unit="step", disable=None if progress else True)
    for step in bar:
        some = np.sort(rng.choice(len(chosen), size=size, replace=False))
        soft = Silhouettes([views[i] for i in some], blur_px=_BLUR_PX, device=where)(problem.meshes(some))
        off = ((soft - target[some]) ** 2).sum() * (len(chosen) / size)
        loss = off / (2 * _PIXEL_SD**2) + problem.prior()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        decay.step()
        losses[step] = loss.item()
        bar.set_postfix(loss=f"{losses[step]:.1f}")
    after = _iou(problem, away, views)
    said = {
        "masks": len(chosen),
        "changed": [n for n, on in (("shape", shape), ("root", root), ("pose", pose)) if on],
        "iou_before": float(before.mean()),
        "iou_after": float(after.mean()),
        "iterations": iterations,
        "seed": seed,
    }
    return Refined(problem.result(said), chosen, before, after, losses)


class _Problem:
    """The free corrections, in standard deviations, and what follows from them."""

    def __init__(
        self,
        motion: Motion,
        skin: Skin,
        chosen: NDArray[np.int64],
        shape: bool,
        root: bool,
        pose: bool,
        keep_height: bool,
    ) -> None:
        device = skin.faces.device
        self._motion, self._skin, self._keep_height = motion, skin, keep_height

        def tensor(a: np.ndarray) -> Tensor:
            return torch.as_tensor(np.ascontiguousarray(a), dtype=torch.float32, device=device)

        basis = _spline_basis(motion.time_s, motion.shot)
        joints = len(motion.body.joint_names)
        self._basis, self._chosen_basis = basis, tensor(basis[chosen])
        self._beta, self._root = tensor(motion.shape), tensor(motion.root_position_m[chosen])
        self._turn = quaternion_matrix(tensor(motion.joint_rotation_wxyz[chosen]))
        self.shape = torch.zeros(motion.body.n_shape, device=device, requires_grad=shape)
        self.root = torch.zeros(basis.shape[1], 3, device=device, requires_grad=root)
        self.pose = torch.zeros(basis.shape[1], joints, 3, device=device, requires_grad=pose)
        self.free = [t for t in (self.shape, self.root, self.pose) if t.requires_grad]
        with torch.no_grad():
            self._height = skin.rest_height(self._beta)

    def meshes(self, some: NDArray[np.int64]) -> object:
        """Meshes of some of the frames that have masks."""
        basis = self._chosen_basis[some]
        root = self._root[some] + basis @ (_ROOT_SD_M * self.root)
        turn = self._turn[some]
        if self.pose.requires_grad:
            turn = turn @ vector_matrix(torch.einsum("tk,kja->tja", basis, _ROTATION_SD_RAD * self.pose))
        vertices = self._skin.vertices(root, turn, self._beta + _SHAPE_SD * self.shape)
        faces = self._skin.faces.expand(len(some), -1, -1)
        return pytorch3d_part("structures").Meshes(verts=vertices, faces=faces)

    def prior(self) -> Tensor:
        """Minus the logarithm of the corrections' probability, up to a constant."""
        total = 0.5 * sum((t**2).sum() for t in self.free)
        if self._keep_height and self.shape.requires_grad:
            off = self._skin.rest_height(self._beta + _SHAPE_SD * self.shape) - self._height
            total = total + 0.5 * (off / _HEIGHT_SD_M) ** 2
        return total

    def result(self, said: dict[str, object]) -> Motion:
        """Return the motion with the corrections, over all its frames."""
        motion = self._motion
        shape, root, pose = (t.detach().cpu().double().numpy() for t in (self.shape, self.root, self.pose))
        turned = motion.joint_rotation_wxyz
        if self.pose.requires_grad:
            vectors = _ROTATION_SD_RAD * np.einsum("tk,kja->tja", self._basis, pose)
            turned = rotation.multiply(turned, rotation.from_rotvec(vectors))
        return replace(
            motion,
            shape=motion.shape + _SHAPE_SD * shape,
            root_position_m=motion.root_position_m + self._basis @ (_ROOT_SD_M * root),
            joint_rotation_wxyz=turned,
            metadata={**motion.metadata, "silhouette": said},
        )


def _spline_basis(time_s: Floats, shot: NDArray[np.int64]) -> Floats:
    """Cubic B-splines (T, K) with a knot a second in each shot; they sum to one at every time."""
    blocks = []
    for number in np.unique(shot):
        rows = np.flatnonzero(shot == number)
        t = time_s[rows]
        spans = max(1, int(np.ceil((t[-1] - t[0]) / _KNOT_S)))
        knots = np.linspace(t[0], t[0] + max(float(t[-1] - t[0]), 1e-6), spans + 1)
        knots = np.concatenate([np.full(3, knots[0]), knots, np.full(3, knots[-1])])
        block = np.zeros((time_s.size, spans + 3))
        block[rows] = BSpline.design_matrix(np.minimum(t, knots[-1]), knots, 3).toarray()
        blocks.append(block)
    return np.concatenate(blocks, axis=1)


def _cameras(
    motion: Motion, camera: Camera | Callable[[int], Camera] | None, chosen: NDArray[np.int64]
) -> list[Camera]:
    if isinstance(camera, Camera):
        return [camera] * len(chosen)
    if camera is None:
        from imusim.viz.render.views import source_view

        known = motion.metadata.get("camera")
        if not known:
            raise ConfigError("this motion was not fitted to a video: say which camera sees it (camera=...)")
        camera = source_view(motion, (round(2 * known["centre_px"][0]), round(2 * known["centre_px"][1])))
    return [camera(int(i)) for i in chosen]


def _distances(
    masks: ArrayLike, views: list[Camera], long_side_px: int, device: torch.device
) -> tuple[Tensor, list[Camera]]:
    """Distance of each block's middle from the mask's edge (N, h, w) · blocks, positive outside; cameras that see blocks."""
    given = np.asarray(masks)
    width, height = views[0].size_px
    if given.shape != (len(views), height, width):
        raise ShapeError(
            f"masks have shape {given.shape}, wanted {(len(views), height, width)}: one for each frame, as large as "
            "the camera's picture"
        )
    if given.dtype.kind not in "bf" or not (
        np.isfinite(given).all() and given.min() >= 0 and given.max() <= 1
    ):
        raise ShapeError(
            f"masks must be bool, or numbers from 0 to 1 (got {given.dtype}). Divide 8-bit masks by 255."
        )
    seen = given >= 0.5
    wrong = ~seen.any(axis=(1, 2)) | seen.all(axis=(1, 2))
    if wrong.any():
        raise ConfigError(
            f"mask {int(np.argmax(wrong))} shows nobody, or nothing else. Leave that frame out."
        )
    # between the middles of two pixels runs the edge
    away = np.stack(
        [distance_transform_edt(~m) - 0.5 * ~m - distance_transform_edt(m) + 0.5 * m for m in seen]
    )
    box = _box(seen.any(axis=0))
    block = max(1, int(np.ceil(max(box[2] - box[0], box[3] - box[1]) / long_side_px)))
    tensor = torch.as_tensor(away[:, box[1] : box[3], box[0] : box[2]].astype(np.float32), device=device)
    tensor = avg_pool2d(tensor[:, None], block)[:, 0] / block
    return tensor, [part_of(c, box, block) for c in views]


def _box(seen: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Part x0, y0, x1, y1 of the picture in which anybody is ever seen, with room about it."""
    (y0, y1), (x0, x1) = (
        (int(r[0]), int(r[-1]) + 1) for r in (np.flatnonzero(seen.any(axis=k)) for k in (1, 0))
    )
    room = 4 + round(_ROOM * max(x1 - x0, y1 - y0))
    return max(0, x0 - room), max(0, y0 - room), min(seen.shape[1], x1 + room), min(seen.shape[0], y1 + room)


def _iou(problem: _Problem, away: Tensor, views: list[Camera]) -> Floats:
    out = np.empty(len(views))
    with torch.no_grad():
        for i, view in enumerate(views):
            drawn = Silhouettes(view, blur_px=0.0, device=away.device)(problem.meshes(np.array([i])))[0] > 0.5
            seen = away[i] <= 0
            out[i] = float((drawn & seen).sum() / (drawn | seen).sum().clamp(min=1))
    return out
