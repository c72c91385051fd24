"""`python -m benchmarks.fidelity [section …]`: measures, and writes docs/fidelity.md."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.fidelity import ablation, coverage, mapped, placement, speed
from benchmarks.fidelity.optical import ALIGN, SETS, compare
from benchmarks.fidelity.recordings import chain, swing
from benchmarks.page import stamp

PAGE = Path(__file__).parents[2] / "docs" / "fidelity.md"
INTRO = f"""# Does simulated equal real?

`python -m benchmarks.fidelity` (with `MUJO_DATA` set) measures this page, `python -m benchmarks.fidelity SECTION …` a part of it
(optical, softtissue, recovery, placement, mapping, speed). Nothing is typed. Best of a column in bold, whoever it is.

Optical poses of the IMUs themselves become signals by each method; each is aligned in the same way on the first half
({", ".join(ALIGN)}, per sensor) and scored on the second, at the instants that all methods cover: between two poses that both
have a neighbour on either side. Medians over sensors and axes (rmse: over sensors)."""


def optical() -> str:
    """Every method on the four optical recordings."""
    lines = ["## Poses to signals", ""]
    for name in SETS:
        found = compare(name)
        lines += [
            f"### {name}",
            "",
            "| method | acc r | acc rmse m/s² | gyro r | gyro rmse rad/s | gives signals at |",
            "|---|---|---|---|---|---|",
        ]
        for method, row in found.items():
            cells = []
            for key, best in (("acc_r", max), ("acc_rmse", min), ("gyro_r", max), ("gyro_rmse", min)):
                text = f"{row[key]:.3f}"
                top = f"{best(r[key] for r in found.values()):.3f}"
                cells.append(f"**{text}**" if text == top else text)
            lines.append(f"| {method} | " + " | ".join(cells) + f" | {100 * row['covered']:.0f} % |")
        lines.append("")
    return "\n".join(
        [
            *lines,
            "Swing and BROAD are noisy optical poses at 256 and 286 Hz, where differences are useless; the chain is clean and at 30 Hz.",
            "OpenSim's IMU needs a model's coordinates instead of poses, imu-error-model only adds errors: neither applies.",
        ]
    )


def softtissue() -> str:
    """What each parameter buys, and the soft mount on the foam-mounted chain."""
    found = {
        name: ablation.ablate(pair)
        for name, pair in (
            ("swing", swing()),
            ("chain, rigid", chain()),
            ("chain, on foam", chain("nonrigid")),
        )
    }
    gains = {name: ablation.softened(row) for name, row in found.items()}
    lines = [
        "## What each parameter buys, and soft tissue",
        "",
        "`im.identify` on the first half with more and more parameters; prediction against the second half, m/s² and rad/s,",
        "median over sensors.",
        "",
        *ablation.table(found),
        "",
        "The soft mount is one mode of a rigid body on springs and dampers (`imusim.sensor.Mount`): frequency, damping, the direction",
        "in which the sensor moves and the one about which it rocks. What it takes off the rmse of the held-out half:",
        "",
        "| | acc, median of sensors | gyro | acc, all sensors pooled | gyro | worst sensor acc | gyro |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, g in gains.items():
        cells = [f"{100 * g[k][i]:.0f} %" for k in ("median", "pooled", "worst") for i in (0, 1)]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(
        [
            *lines,
            "",
            "0 % where the data are not clearly more likely with a mode: then the sensor is taken for rigid, and that is said.",
        ]
    )


def recovery() -> str:
    """Planted errors, found again."""
    found = {name: coverage.recover(range(coverage.MANY), c) for name, c in coverage.COLOURS.items()}
    return "\n".join(
        [
            "## What is planted is found",
            "",
            "A made motion of 12 s read at 50 Hz by a sensor that is turned, moved (5 cm), late (± 0.4 s), biased (0.1 m/s², 0.02 rad/s) and",
            "scaled (1 %), with noise of 0.2 m/s² and 0.04 rad/s, white, or coloured (first order, 0.9 from sample to sample); `im.identify` finds",
            "everything together. How often the truth is in the 95 % region of a quantity (an ellipsoid, the same in whatever axes a vector is",
            f"written) and in the 95 % intervals of its single axes, per cent. Of {coverage.FEW} seeds even a perfect interval is outside 90 … 99 in 1.7 of 100",
            f"cases, which makes one of 40 axes by chance; {coverage.MANY} seeds are known to ± 0.7.",
            "",
            *coverage.table(found),
        ]
    )  # fmt: skip


def where() -> str:
    """Wrong-placement control."""
    return "\n".join(
        [
            "## Which limb wore it?",
            "",
            "UTD-MHAD, all trials: Kinect skeletons become signals all over the body; each real sensor is held",
            "against every place by the correlation of |acc| and |gyro| below 5 Hz (`imusim validate` suggests placements so). Means over",
            "trials and people of the best place of a limb.",
            "",
            *placement.table(placement.control()),
        ]
    )  # fmt: skip


def mapping() -> str:
    """Distribution mapping."""
    lines = ["## Distribution mapping", ""]
    for place, every in mapped.WORN.items():
        found = mapped.sets(place)
        lines += [
            f"UTD-MHAD, {place}, {'all trials' if every == 1 else f'one in {every} trials'}: maps learned from "
            f"{mapped.minutes(found):.1f} unlabelled minutes of four people (`im.fit_map`), measured on the other four, both ways "
            "round; means over axes.",
            "",
            *mapped.table(mapped.measure(found)),
            "",
        ]
    return "\n".join(
        [
            *lines,
            "AUC: of a classifier that tells virtual from real two-second windows (1: always, 0.5: cannot). A Kinect sees up to 5 Hz or",
            "so: above, a spectral map adds noise as loud as the movement, since no gain could restore what is not there. What it may do (gain",
            "at most 1, the loudest tenth of the windows left out) was chosen on the wrist's trials, not on the thigh's.",
            "",
            "A map moves statistics, not truth: correlation with the real signal is not its purpose. Off unless asked for.",
        ]
    )


def fast() -> str:
    """Speed of a validation."""
    found = speed.measure()
    return "\n".join(
        [
            "## Speed",
            "",
            f"A validation of {speed.MINUTES} minutes, {speed.SENSORS} sensors at {speed.RATE_HZ:g} Hz (time, rotation, bias), compiled already: "
            f"{found['cpu_s']:.1f} s of one CPU, peak memory of the process {found['peak_mb']:.0f} MB (the data themselves included).",
        ]
    )


SECTIONS: dict[str, Callable[[], str]] = {
    "optical": optical,
    "softtissue": softtissue,
    "recovery": recovery,
    "placement": where,
    "mapping": mapping,
    "speed": fast,
}


def main(asked: list[str]) -> None:
    """Measure the sections asked for, all without any, and replace them on the page."""
    for name in asked or SECTIONS:
        text = f"{SECTIONS[name]()}\n\n*Measured {stamp()}*"
        old = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
        blocks = {n: _block(old, n) for n in SECTIONS} | {name: text}
        parts = [f"<!-- {n}:begin -->\n{blocks[n]}\n<!-- {n}:end -->" for n in SECTIONS if blocks[n]]
        PAGE.write_text("\n\n".join([INTRO, *parts]) + "\n", encoding="utf-8")
        print(f"wrote {name} to {PAGE}", flush=True)


def _block(page: str, name: str) -> str:
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    return page.split(begin)[1].split(end)[0].strip("\n") if begin in page else ""


if __name__ == "__main__":
    main(sys.argv[1:])
