"""From markers on the skin to joint centres: a documented marker set, and files that hold joint centres already.

Two kinds of names are understood, with or without a subject's prefix ("Anna:LASI"):

* joint centres as markerless systems write them ("RHip", "LKnee", "RBigToe", "Neck", "LKJC" ...);
* the Plug-in Gait set (Vicon; Davis et al. 1991). Hip centres from LASI, RASI and LPSI, RPSI (or SACR) by Harrington et
  al. 2007; knee and ankle half-way between lateral and medial markers (LKNE and LKNM, LANK and LANM), or half a joint's
  width (5 and 3.5 cm) inwards from the lateral one; shoulders 4 cm under LSHO; elbow LELB (with LELM half-way);
  wrist between LWRA and LWRB; hand LFIN; foot LTOE, LHEE; trunk C7, CLAV, T10, STRN; head LFHD, RFHD, LBHD, RBHD.
"""

from __future__ import annotations

import numpy as np

from imusim.errors import MotionFileError
from imusim.fitting.skeleton_frames import unit
from imusim.motion_io.layouts import Layout
from imusim.types import Floats

_HALF_KNEE_M, _HALF_ANKLE_M, _UNDER_SHOULDER_M = 0.05, 0.035, 0.04

_WORDS = {
    "hip": "hip", "hjc": "hip", "knee": "knee", "kjc": "knee", "ankle": "ankle", "ajc": "ankle", "heel": "heel",
    "bigtoe": "foot_index", "toe": "foot_index", "shoulder": "shoulder", "sjc": "shoulder", "elbow": "elbow",
    "ejc": "elbow", "wrist": "wrist", "wjc": "wrist", "hand": "hand",
}  # fmt: skip
_MIDDLE = {
    "hip": "pelvis", "midhip": "pelvis", "pelvis": "pelvis", "chip": "pelvis", "neck": "neck", "head": "head",
    "thorax": "spine3", "spine": "spine2", "trunk": "spine2",
}  # fmt: skip
_ABOVE = {
    "spine2": ("pelvis",), "spine3": ("spine2", "pelvis"), "neck": ("spine3", "spine2", "pelvis"), "head": ("neck",),
    "shoulder": ("neck", "spine3", "spine2", "pelvis"), "elbow": ("shoulder",), "wrist": ("elbow",),
    "hand": ("wrist",), "hip": ("pelvis",), "knee": ("hip",), "ankle": ("knee",), "foot_index": ("ankle",),
    "heel": ("ankle",),
}  # fmt: skip
_LOOSE = {"spine2": "spine1", "spine3": "spine1", "neck": "spine1", "shoulder": "collar"}


def joint_centres(names: list[str], points: Floats, source: str, metres: float) -> tuple[Layout, Floats]:
    """Return a layout and joint centres (T, J, 3) in the file's unit.

    Parameters
    ----------
    names : M marker names
    points : (T, M, 3), NaN where not seen
    source : what to call the file in messages
    metres : metres to the file's unit, for the widths of knee and ankle

    Raises
    ------
    MotionFileError
        If neither kind of names makes a skeleton.
    """
    plain = [n.rpartition(":")[2].strip() for n in names]
    found = _centres(plain, points)
    if not {"left_knee", "right_knee"} <= set(found):
        found = _plug_in_gait({n.upper(): points[:, i] for i, n in enumerate(plain)}, metres) or found
    if "pelvis" not in found and {"left_hip", "right_hip"} <= set(found):
        found["pelvis"] = 0.5 * (found["left_hip"] + found["right_hip"])
    if "neck" not in found and {"left_shoulder", "right_shoulder"} <= set(found):
        found["neck"] = 0.5 * (found["left_shoulder"] + found["right_shoulder"])
    tree: dict[str, str] = {}
    if "pelvis" in found:
        tree["pelvis"] = ""
        for word, above in _ABOVE.items():
            for joint in (word, f"left_{word}", f"right_{word}"):
                if joint not in found:
                    continue
                side = joint.removesuffix(word)
                parent = next((p for a in above for p in (side + a, a) if p in tree), None)
                if parent is None:
                    continue
                loose = _LOOSE.get(word)
                if loose is not None and (word == "shoulder" or parent == "pelvis"):
                    link = side + loose  # in the place of the joint above: a back bends, shoulders move
                    if link not in tree:
                        tree[link], found[link] = parent, found[parent]
                    parent = link
                tree[joint] = parent
    if len(tree) < 4:
        raise MotionFileError(
            f"{source}: the {len(names)} markers ({', '.join(plain[:8])} ...) make no skeleton. Wanted joint centres (LHip, "
            "LKnee ...) or the Plug-in Gait set (LASI, RASI, LPSI, RPSI, LKNE, LANK ...): docs/motion_files.md"
        )
    joints = tuple(tree)
    return Layout(joints, tree, up="y", unit=None), np.stack([found[j] for j in joints], axis=1)


def _centres(names: list[str], points: Floats) -> dict[str, Floats]:
    """Markers that are joint centres by their name."""
    found: dict[str, Floats] = {}
    for i, name in enumerate(names):
        word = "".join(c for c in name.lower() if c.isalnum())
        if word in _MIDDLE:
            found.setdefault(_MIDDLE[word], points[:, i])
            continue
        for side, marks in (("left", ("left", "l")), ("right", ("right", "r"))):
            for mark in marks:
                for rest in (word.removeprefix(mark), word.removesuffix(mark)):
                    if rest != word and rest in _WORDS:
                        found.setdefault(f"{side}_{_WORDS[rest]}", points[:, i])
    return found


def _plug_in_gait(m: dict[str, Floats], metres: float) -> dict[str, Floats]:
    """Joint centres of the Plug-in Gait set; empty if the pelvis has no markers."""
    if not {"LASI", "RASI"} <= set(m) or not ({"LPSI", "RPSI"} <= set(m) or "SACR" in m):
        return {}
    out: dict[str, Floats] = {}
    back = m["SACR"] if "SACR" in m else 0.5 * (m["LPSI"] + m["RPSI"])
    front = 0.5 * (m["LASI"] + m["RASI"])
    left = unit(m["LASI"] - m["RASI"])
    forward = front - back
    forward = unit(forward - (forward * left).sum(-1, keepdims=True) * left)
    up = np.cross(forward, left)
    width = np.nanmedian(np.linalg.norm(m["LASI"] - m["RASI"], axis=1))
    depth = np.nanmedian(np.linalg.norm(front - back, axis=1))
    mm = 0.001 / metres
    for side, sign in (("left", 1.0), ("right", -1.0)):
        out[f"{side}_hip"] = (
            front
            + (-0.24 * depth - 9.9 * mm) * forward
            + (-0.30 * width - 10.9 * mm) * up
            + sign * (0.33 * width + 7.3 * mm) * left
        )
        s, inwards = side[0].upper(), -sign * left
        above = out[f"{side}_hip"]
        for joint, lateral, medial, half in (
            ("knee", "KNE", ("KNM", "KNEM", "MKNE"), _HALF_KNEE_M),
            ("ankle", "ANK", ("ANM", "ANKM", "MANK", "MED"), _HALF_ANKLE_M),
        ):
            if s + lateral not in m:
                break
            here = m[s + lateral]
            inner = next((m[s + n] for n in medial if s + n in m), None)
            if inner is not None:
                out[f"{side}_{joint}"] = 0.5 * (here + inner)
            else:
                bone = unit(here - above)
                across = unit(inwards - (inwards * bone).sum(-1, keepdims=True) * bone)
                out[f"{side}_{joint}"] = here + half / metres * across
            above = out[f"{side}_{joint}"]
        for joint, marker in (("foot_index", "TOE"), ("heel", "HEE"), ("hand", "FIN")):
            if s + marker in m:
                out[f"{side}_{joint}"] = m[s + marker]
        if s + "SHO" in m:
            out[f"{side}_shoulder"] = m[s + "SHO"] - _UNDER_SHOULDER_M / metres * up
        if s + "ELB" in m:
            out[f"{side}_elbow"] = 0.5 * (m[s + "ELB"] + m.get(s + "ELM", m[s + "ELB"]))
        if {s + "WRA", s + "WRB"} <= set(m):
            out[f"{side}_wrist"] = 0.5 * (m[s + "WRA"] + m[s + "WRB"])
    for joint, parts in (("neck", ("C7", "CLAV")), ("spine2", ("T10", "STRN"))):
        if set(parts) <= set(m):
            out[joint] = 0.5 * (m[parts[0]] + m[parts[1]])
    head = [m[n] for n in ("LFHD", "RFHD", "LBHD", "RBHD") if n in m]
    if head:
        out["head"] = np.mean(head, axis=0)
    return out
