"""The values that flow through the package: frozen dataclasses, checked when they are made.

PoseTrack → Motion → (Trajectory) → Kinematics, and Placement. Frames and units: `imusim.conventions`.
A `Recording` can save and plot itself, so it lives higher up, in `imusim.recording`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imusim.errors import ConfigError, FrameError, ShapeError, TimeError
from imusim.variation import WEARER, Variation, mirror_name, rows, vary

Floats = NDArray[np.float64]


def as_floats(value: ArrayLike, name: str, shape: tuple[int | None, ...]) -> Floats:
    """Return `value` as a contiguous float64 array of the given shape (None: any length), or raise.

    Raises
    ------
    ShapeError
        If it is not numeric or its shape differs.
    """
    try:
        array = np.ascontiguousarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ShapeError(f"{name} is not an array of numbers: {error}") from None
    if array.ndim != len(shape) or any(
        w is not None and g != w for g, w in zip(array.shape, shape, strict=True)
    ):
        wanted = "(" + ", ".join("any" if w is None else str(w) for w in shape) + ")"
        raise ShapeError(f"{name} has shape {array.shape}, wanted {wanted}")
    return array


def check_time(time_s: ArrayLike, name: str = "time_s") -> Floats:
    """Return time stamps as a strictly increasing, finite float64 array (T,), s.

    Raises
    ------
    TimeError
        If a stamp is not finite, or not later than the one before it.
    """
    t = as_floats(time_s, name, (None,))
    if not np.isfinite(t).all():
        raise TimeError(
            f"{name} has {int((~np.isfinite(t)).sum())} values that are not finite. Drop those samples."
        )
    if t.size > 1 and not (np.diff(t) > 0).all():
        i = int(np.argmax(np.diff(t) <= 0))
        raise TimeError(
            f"{name} must increase strictly: sample {i + 1} ({t[i + 1]:.6g} s) does not come after "
            f"sample {i} ({t[i]:.6g} s). Sort the samples and drop duplicates."
        )
    return t


@runtime_checkable
class Body(Protocol):
    """What every body model offers; `imusim.body` has the models.

    Attributes
    ----------
    name : str
    joint_names : tuple of J str
    parents : (J,) int64, parent of each joint, −1 for the root; parents come before children
    n_shape : int, length of a shape vector
    weights : (V, J) skin weights, rows sum to 1, or None for a plain skeleton
    faces : (F, 3) int64 or None
    """

    @property
    def name(self) -> str:
        """Name of the model."""
        ...

    @property
    def joint_names(self) -> tuple[str, ...]:
        """Names of the J joints."""
        ...

    @property
    def parents(self) -> NDArray[np.int64]:
        """Parents, (J,)."""
        ...

    @property
    def n_shape(self) -> int:
        """Length of a shape vector."""
        ...

    @property
    def weights(self) -> Floats | None:
        """Skin weights, (V, J), or None."""
        ...

    @property
    def faces(self) -> NDArray[np.int64] | None:
        """Triangles, (F, 3), or None."""
        ...

    def rest_joints(self, shape: ArrayLike | None = None) -> Floats:
        """Joint positions in the rest pose, (J, 3) · m · B axes of the body file."""
        ...

    def rest_vertices(self, shape: ArrayLike | None = None) -> Floats | None:
        """Skin vertices in the rest pose, (V, 3) · m · B axes of the body file; None without a skin."""
        ...


@dataclass(frozen=True)
class PoseTrack:
    """One person's landmarks through a video.

    Parameters
    ----------
    time_s : (T,) · s, true time stamps of the frames, strictly increasing
    landmarks_m : (T, L, 3) · m · camera axes (x right, y down, z away), origin between the hips;
        NaN where the person was not found
    landmarks_px : (T, L, 2) · pixels of the upright image (x right, y down); NaN where not found
    visibility : (T, L), 0 … 1, the estimator's own belief that the landmark is seen
    image_size_px : (width, height) of the upright image
    landmark_names : L names
    shot : (T,) int, number of the camera shot; nothing may be differentiated across a change
    quality : (T,), 0 … 1, how far the frame can be trusted (0: no person)
    switched : (T,) bool, True on frames where the track seems to jump to another person
    focal_px : focal length in pixels if the file or the user gives it, else None (the fit assumes one and says so)
    metadata : where it came from: estimator, model, video, settings
    """

    time_s: Floats
    landmarks_m: Floats
    landmarks_px: Floats
    visibility: Floats
    image_size_px: tuple[int, int]
    landmark_names: tuple[str, ...]
    shot: NDArray[np.int64]
    quality: Floats
    switched: NDArray[np.bool_]
    focal_px: float | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        t = check_time(self.time_s)
        n, count = t.size, len(self.landmark_names)
        put = object.__setattr__
        put(self, "time_s", t)
        put(self, "landmarks_m", as_floats(self.landmarks_m, "landmarks_m", (n, count, 3)))
        put(self, "landmarks_px", as_floats(self.landmarks_px, "landmarks_px", (n, count, 2)))
        put(self, "visibility", as_floats(self.visibility, "visibility", (n, count)))
        put(self, "quality", as_floats(self.quality, "quality", (n,)))
        put(self, "shot", np.ascontiguousarray(self.shot, dtype=np.int64))
        put(self, "switched", np.ascontiguousarray(self.switched, dtype=np.bool_))
        if self.shot.shape != (n,) or self.switched.shape != (n,):
            raise ShapeError(f"shot {self.shot.shape} and switched {self.switched.shape} must both be ({n},)")

    @property
    def detected(self) -> NDArray[np.bool_]:
        """(T,) bool: frames where the person was found (every landmark finite)."""
        metric = np.isfinite(self.landmarks_m).all(axis=(1, 2))
        return np.asarray(metric & np.isfinite(self.landmarks_px).all(axis=(1, 2)))


@dataclass(frozen=True)
class Motion:
    """A body's motion: root position and joint rotations at sample times, world frame, z up.

    Parameters
    ----------
    time_s : (T,) · s
    root_position_m : (T, 3) · m · W, position of the root joint (not SMPL's `transl`, which leaves out the
        rest position of the pelvis)
    joint_rotation_wxyz : (T, J, 4), unit quaternions: the root's takes B (the body file's axes) to W, so a
        y-up body stands upright under `conventions.Q_WB_REST`; every other joint's takes its own frame to
        its parent's, identity in the rest pose

    Other Parameters
    ----------------
    body : the body model that the rotations belong to
    shape : (B,) shape coefficients of that body, zeros if not given
    shot : (T,) int, pieces that must not be joined (shot cuts, long gaps); zeros if not given
    valid : (T,) bool, False where the pose was not seen and no honest value exists; True if not given
    confidence : (T, J), 0 … 1, how far each joint's rotation can be trusted; ones if not given
    rotation_sd_rad : (T, J) or None, standard deviation of the joint rotations (per axis)
    root_sd_m : (T, 3) or None, standard deviation of the root position along the world axes
    up_sd_deg : standard deviation of the direction of gravity, degrees; 0 if it is known
    bandwidth_hz : frequency up to which an estimate resolves motion, if it is one and says so; what is above is
        noise to whoever differentiates it. None: nothing is known, or the samples are exact
    metadata : where it came from, settings, what was assumed

    Raises
    ------
    ShapeError, TimeError, FrameError
        On wrong shapes, times that do not increase, quaternions that are not near unit length.
    """

    time_s: Floats
    root_position_m: Floats
    joint_rotation_wxyz: Floats
    body: Body
    shape: Floats = field(default_factory=lambda: np.zeros(0))
    shot: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    valid: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    confidence: Floats = field(default_factory=lambda: np.zeros(0))
    rotation_sd_rad: Floats | None = None
    root_sd_m: Floats | None = None
    up_sd_deg: float = 0.0
    bandwidth_hz: float | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        t = check_time(self.time_s)
        n, joints = t.size, len(self.body.joint_names)
        put = object.__setattr__
        put(self, "time_s", t)
        valid = np.asarray(self.valid, dtype=np.bool_)
        put(self, "valid", np.ones(n, np.bool_) if valid.size == 0 else np.ascontiguousarray(valid))
        shot = np.asarray(self.shot, dtype=np.int64)
        put(self, "shot", np.zeros(n, np.int64) if shot.size == 0 else np.ascontiguousarray(shot))
        if self.valid.shape != (n,) or self.shot.shape != (n,):
            raise ShapeError(f"valid {self.valid.shape} and shot {self.shot.shape} must both be ({n},)")
        root = as_floats(self.root_position_m, "root_position_m", (n, 3))
        q = as_floats(self.joint_rotation_wxyz, "joint_rotation_wxyz", (n, joints, 4))
        for array, name in ((root, "root_position_m"), (q, "joint_rotation_wxyz")):
            bad = ~np.isfinite(array).reshape(n, -1).all(axis=1) & self.valid
            if bad.any():
                raise ShapeError(
                    f"{name} has {int(bad.sum())} frames that are not finite (first: frame {int(np.argmax(bad))}). "
                    "Mark them with valid=False, or fill them."
                )
        norm = np.linalg.norm(q, axis=-1)
        off = np.nanmax(np.abs(norm - 1.0)) if n else 0.0
        if off > 0.05:
            raise FrameError(
                f"joint_rotation_wxyz is not made of unit quaternions (a norm is off by {off:.2g}). "
                "Wanted Hamilton wxyz; normalise them, or convert rotation vectors with imusim.rotation."
            )
        if not off <= 4 * np.finfo(np.float64).eps:  # what is normalised already is not copied
            with np.errstate(invalid="ignore"):
                q = q / norm[..., None]
        put(self, "joint_rotation_wxyz", q)
        put(self, "root_position_m", root)
        shape = np.asarray(self.shape, dtype=np.float64)
        put(
            self,
            "shape",
            np.zeros(self.body.n_shape)
            if shape.size == 0
            else as_floats(shape, "shape", (self.body.n_shape,)),
        )
        conf = np.asarray(self.confidence, dtype=np.float64)
        put(
            self,
            "confidence",
            np.ones((n, joints)) if conf.size == 0 else as_floats(conf, "confidence", (n, joints)),
        )
        if self.rotation_sd_rad is not None:
            put(self, "rotation_sd_rad", as_floats(self.rotation_sd_rad, "rotation_sd_rad", (n, joints)))
        if self.bandwidth_hz is not None and not self.bandwidth_hz > 0:
            raise ConfigError(
                f"bandwidth_hz={self.bandwidth_hz!r}, wanted a positive frequency in Hz, or None"
            )
        if self.root_sd_m is not None:
            put(self, "root_sd_m", as_floats(self.root_sd_m, "root_sd_m", (n, 3)))


@dataclass(frozen=True)
class Kinematics:
    """Motion of S rigid frames at T instants, world frame W (z up), SI units.

    Parameters
    ----------
    time_s : (T,) · s
    position : (T, S, 3) · m
    orientation : (T, S, 4), unit quaternion wxyz taking the frame's axes to W, sign-continuous
    velocity : (T, S, 3) · m/s
    angular_velocity : (T, S, 3) · rad/s, in W axes
    acceleration : (T, S, 3) · m/s², without gravity
    angular_acceleration : (T, S, 3) · rad/s², in W axes
    """

    time_s: Floats
    position: Floats
    orientation: Floats
    velocity: Floats
    angular_velocity: Floats
    acceleration: Floats
    angular_acceleration: Floats


@dataclass(frozen=True)
class Placement:
    """Where a sensor sits on a body and how it is turned; says nothing of a particular body's mesh.

    The anchor is a point on the bone from `joint` to its child: `along` of the way (0 at the joint, 1 at
    the child). With ``on="skin"`` a ray leaves the anchor in direction `toward` and the sensor sits where it
    meets the skin (`lift_m` above it); with ``on="bone"`` it sits at the anchor plus `offset_m`.
    Directions and axes are those of the rest (T) pose: x to the person's left, y up, z forward.

    Parameters
    ----------
    name : what the recording calls the sensor
    joint : name of the joint whose segment carries the sensor (SMPL names: "left_wrist", "right_hip" ...)
    along : fraction of the way to the segment's child joint
    toward : (3,) direction from the bone to the sensor's side of the segment, rest-pose axes
    on : "skin" or "bone"
    offset_m : (3,) · m · rest-pose axes, added to the anchor (before the ray, if on skin)
    lift_m : distance of the sensing element from the skin along the ray
    axes_xyz : (3, 3) rows: directions of the sensor's x, y, z axes in rest-pose axes ("segment" axes)
    device_xyz : (3, 3) rows: the same for a phone or watch as it is usually worn (x right, y top, z out of
        the screen); None: the same as `axes_xyz`
    child : joint that ends the segment; None: the body's own (first) child
    description : one line for people
    slide_m : how far the sensor has slid along the segment, away from the pelvis · m
    around_deg : how far it has gone round the segment, with its axes · degrees, right-handed about the bone (which
        points away from the pelvis). Both are measured on the particular body, at right angles to `toward`: where
        the bone points there itself (the heel), the bone above it is taken, or the body's up
    """

    name: str
    joint: str
    along: float = 0.0
    toward: tuple[float, float, float] = (0.0, 0.0, 1.0)
    on: str = "skin"
    offset_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    lift_m: float = 0.0
    axes_xyz: tuple[tuple[float, float, float], ...] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    device_xyz: tuple[tuple[float, float, float], ...] | None = None
    child: str | None = None
    description: str = ""
    slide_m: float = 0.0
    around_deg: float = 0.0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.slide_m) and np.isfinite(self.around_deg)):
            raise ConfigError(
                f"placement {self.name!r}: slide_m={self.slide_m}, around_deg={self.around_deg}, wanted numbers"
            )
        if self.on not in ("skin", "bone"):
            raise ShapeError(f'placement {self.name!r}: on={self.on!r}, wanted "skin" or "bone"')
        for axes, what in ((self.axes_xyz, "axes_xyz"), (self.device_xyz, "device_xyz")):
            if axes is None:
                continue
            matrix = as_floats(axes, f"placement {self.name!r}: {what}", (3, 3))
            off = np.abs(matrix @ matrix.T - np.eye(3)).max()
            if not off < 1e-5 or np.linalg.det(matrix) < 0:
                raise FrameError(
                    f"placement {self.name!r}: {what} is not a right-handed set of unit axes (rows x, y, z)"
                )

    @property
    def outward(self) -> tuple[float, float, float]:
        """Direction off the skin, (3,), in the axes that `axes_xyz` is written in."""
        return self.toward

    def mirrored(self) -> Self:
        """Return the same place on the body's other side: names, joints and directions are exchanged left for right.

        All axes stay right-handed as those of the named places do: of the segment axes x and z are mirrored; of a
        device's, and of a joint's own (``on="bone"``), y and z. Mirroring twice gives the placement back.
        """
        turned = (-1, 1, 1) if self.on == "bone" else (1, -1, 1)
        return replace(
            self,
            name=mirror_name(self.name),
            joint=mirror_name(self.joint),
            child=self.child and mirror_name(self.child),
            toward=rows([self.toward], (-1, 1, 1))[0],
            offset_m=rows([self.offset_m], (-1, 1, 1))[0],
            around_deg=0.0 - self.around_deg,
            axes_xyz=rows(self.axes_xyz, (-1, 1, 1), turned),
            device_xyz=self.device_xyz and rows(self.device_xyz, (-1, 1, 1), (-1, 1, 1)),
        )

    def vary(self, rng: np.random.Generator | int, variation: Variation | None = None) -> Self:
        """Return the placement as it is worn once: a draw of where it really sits and how it is turned.

        Two levels are two calls, ``place.vary(wearer_rng).vary(day_rng, DONNING)``: the first draw is the person's
        habit, the second what one donning does to it. The name stays the planned one, as a data set's label would
        be, even when the sides are swapped (then `joint` and `description` tell).

        Parameters
        ----------
        rng : where the draw comes from, a generator or a seed; the same state gives the same placement. Every call takes
            nine numbers, whatever the variation, so that one seed at two strengths is one wearer
        variation : what may differ; None: `imusim.variation.WEARER`. ``Variation()`` returns the placement unchanged

        Raises
        ------
        ConfigError
            If `toward` has no direction, or a skin point given by its vertex is to change sides.
        """
        return vary(self, rng, WEARER if variation is None else variation)
