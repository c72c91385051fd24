"""What is impossible in the embedded corpus: ``python -m benchmarks.corpus_physics [SEEDS]`` (5 CPU seconds a seed).

For every movement, the worst of several people and performances: specific force at 13 places, slip of planted feet and hands,
depth of a joint under the floor, angular acceleration of the knees. Prints the worst of each; tests hold a sample of it.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

import imusim as im
from mujo.corpus import contact
from mujo.corpus.embedded import PLACEMENTS
from mujo.corpus.movement import Movement, library
from mujo.corpus.player import FRAME_HZ, Performance, play

BODY = im.open_body()
AT = {n: i for i, n in enumerate(BODY.joint_names)}


@dataclass
class Worst:
    """Of one movement: m/s², m, m (height of the lowest joint), rad/s²."""

    name: str
    force: float = 0.0
    slip: float = 0.0
    lowest: float = np.inf
    knee: float = 0.0

    def see(self, movement: Movement, done: Performance) -> None:
        """Look at one performance."""
        motion = done.motion
        acc = im.simulate(motion, list(PLACEMENTS), rate_hz=FRAME_HZ, smoothing="none").acc
        self.force = max(self.force, float(np.linalg.norm(acc, axis=2).max()))
        posed = BODY.pose(motion.root_position_m, motion.joint_rotation_wxyz, motion.shape, vertices=False)
        if movement.name != "walking_downstairs":  # goes below where it began
            self.lowest = min(self.lowest, float(posed.joints[:, :, 2].min()))
        soles = contact.Soles.of(BODY, motion.shape)
        parts = (("left_ankle", soles.ball[0]), ("right_ankle", soles.ball[1]), ("left_wrist", soles.palm[0]),
                 ("right_wrist", soles.palm[1]))  # fmt: skip
        for k, (joint, point) in enumerate(parts):
            where = posed.joints[:, AT[joint]] + posed.rotation[:, AT[joint]] @ point
            for first, last in contact.spans((done.contact[:, k] > 0.999).astype(float)):
                edge = (
                    (last - first) // 3 if movement.kind == "gait" else 0
                )  # heels strike and leave before balls
                if last - first - 2 * edge > 2:
                    moved = np.ptp(where[first + edge : last - edge], axis=0).max()
                    self.slip = max(self.slip, float(moved))
        for joint in ("left_knee", "right_knee"):
            bent = im.rotation.angle(motion.joint_rotation_wxyz[:, AT[joint]])
            self.knee = max(self.knee, float(np.abs(np.diff(bent, 2)).max() * FRAME_HZ**2))


def main(seeds: int = 4) -> list[Worst]:
    """Play everything and print the ten worst of each kind."""
    rows = []
    for name, movement in library().items():
        worst = Worst(name)
        for seed in range(seeds):
            rng = np.random.default_rng([seed, 99])
            shape = np.clip(rng.standard_normal(BODY.n_shape), -2.0, 2.0)
            worst.see(movement, play(movement, float(rng.uniform(6, 12)), seed=(seed, 5), shape=shape))
        rows.append(worst)
    for title, value, text in (
        ("specific force, m/s2", lambda r: -r.force, lambda r: f"{r.force:.0f}"),
        ("slip of what is planted, cm", lambda r: -r.slip, lambda r: f"{100 * r.slip:.1f}"),
        ("height of the lowest joint, cm", lambda r: r.lowest, lambda r: f"{100 * r.lowest:.1f}"),
        ("acceleration of knees, rad/s2", lambda r: -r.knee, lambda r: f"{r.knee:.0f}"),
    ):
        print(f"{title} ({len(rows)} movements, {seeds} performances each)")
        for row in sorted(rows, key=value)[:10]:
            print(f"  {row.name:32} {text(row)}")
    return rows


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
