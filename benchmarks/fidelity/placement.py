"""Wrong-placement control on UTD-MHAD: of all limbs, is the one that wore the sensor the likeliest?"""

from __future__ import annotations

import re
import tempfile
import warnings
import zipfile
from collections import defaultdict
from pathlib import Path

import numpy as np
from scipy.io import loadmat
from tqdm import tqdm

import imusim as im
from benchmarks.fidelity.recordings import folder
from imusim.conventions import STANDARD_GRAVITY
from imusim.recording import Recording
from imusim.validation.pairing import likeness

RATE_HZ = 50.0
GROUPS = {
    "right arm": ("right_upper_arm", "right_forearm", "right_wrist", "right_hand"),
    "left arm": ("left_upper_arm", "left_forearm", "left_wrist", "left_hand"),
    "right leg": ("right_thigh", "right_shin", "right_foot"),
    "left leg": ("left_thigh", "left_shin", "left_foot"),
    "trunk": ("pelvis", "sternum"),
}
WORN = {"wrist": "right arm", "thigh": "right leg"}
THIGH_FROM = 22  # actions 22 … 27 wear the sensor on the right thigh


def trials(every: int = 1, thigh_every: int | None = None):
    """Yield (action, person, recording, motion) of every n-th trial; frames span the inertial sensor's clock.

    With `thigh_every` those of the thigh, of which there are few, are counted by themselves.
    """
    root = folder() / "utd_mhad"
    with (
        zipfile.ZipFile(root / "Skeleton.zip") as skeletons,
        zipfile.ZipFile(root / "Inertial.zip") as inertial,
        tempfile.TemporaryDirectory() as scratch,
    ):
        found = [
            {
                m.group(0): n
                for n in z.namelist()
                if n.endswith(".mat") and (m := re.search(r"a\d+_s\d+_t\d+", n))
            }
            for z in (skeletons, inertial)
        ]
        keys = sorted(found[0])
        if thigh_every is None:
            keys = keys[::every]
        else:
            thigh = [k for k in keys if int(k.split("_")[0][1:]) >= THIGH_FROM]
            keys = [k for k in keys if k not in set(thigh)][::every] + thigh[::thigh_every]
        for key in keys:
            action, person, _ = (int(part[1:]) for part in key.split("_"))
            paths = [
                Path(z.extract(names[key], scratch))
                for z, names in zip((skeletons, inertial), found, strict=True)
            ]
            x = loadmat(paths[1])["d_iner"].astype(np.float64)
            frames = loadmat(paths[0])["d_skel"].shape[2]
            real = Recording(
                np.arange(len(x)) / RATE_HZ, x[:, None, :3] * STANDARD_GRAVITY, np.radians(x[:, None, 3:]), ("sensor",),
                unit="m/s2", gyro_unit="rad/s",
            )  # fmt: skip
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                motion = im.read_motion(paths[0], rate_hz=(frames - 1) / (len(x) / RATE_HZ))
            yield action, person, real, motion


def control(every: int = 1, thigh_every: int = 1) -> dict[str, dict[int, dict[str, float]]]:
    """Kind ("wrist", "thigh") → person → group → mean likeness over trials (best place of a group in each trial)."""
    sums: dict[str, dict[int, dict[str, list[float]]]] = {
        k: defaultdict(lambda: defaultdict(list)) for k in WORN
    }
    places = [p for group in GROUPS.values() for p in group]
    for action, person, real, motion in tqdm(
        trials(every, thigh_every), "UTD-MHAD", leave=False, disable=None
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            at = real.time_s[(real.time_s >= motion.time_s[0]) & (real.time_s <= motion.time_s[-1])]
            rec = im.simulate(motion, placements=places, time_s=at, rate_hz=RATE_HZ)
        _, alike = likeness(rec, real, ["sensor"], shifted=True, max_offset_s=0.1)
        if not alike:
            continue
        kind = "thigh" if action >= THIGH_FROM else "wrist"
        for group, members in GROUPS.items():
            r = max(alike["sensor"][m] for m in members)
            sums[kind][person][group].append(r)
    return {
        kind: {p: {g: float(np.mean(v)) for g, v in groups.items()} for p, groups in sorted(people.items())}
        for kind, people in sums.items()
    }


def table(found: dict[str, dict[int, dict[str, float]]]) -> list[str]:
    """Lines: how many people's sensor is likest the limb that wore it, by how much, and the mean likeness of every group."""
    lines = [
        "| sensor on | people whose own limb ranks first | ahead of the next limb by, person by person | "
        + " | ".join(GROUPS)
        + " |",
        "|---|---|---|" + "---|" * len(GROUPS),
    ]
    for kind, people in found.items():
        own = WORN[kind]
        lead = sorted(row[own] - max(r for g, r in row.items() if g != own) for row in people.values())
        first, by = sum(x > 0 for x in lead), ", ".join(f"{x:.2f}" for x in lead)
        mean = [f"{np.mean([row[g] for row in people.values()]):.2f}" for g in GROUPS]
        lines.append(f"| right {kind} | {first} of {len(people)} | {by} | " + " | ".join(mean) + " |")
    return lines


if __name__ == "__main__":
    import sys

    print("\n".join(table(control(int(sys.argv[1]) if len(sys.argv) > 1 else 1))))
