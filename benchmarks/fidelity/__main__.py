"""`python -m benchmarks.fidelity`: measures, and writes docs/fidelity.md."""

from __future__ import annotations

from pathlib import Path

from benchmarks.fidelity.optical import ALIGN, SETS, compare

PAGE = Path(__file__).parents[2] / "docs" / "fidelity.md"


def main() -> None:
    lines = [
        "# Does simulated equal real?",
        "",
        "`python -m benchmarks.fidelity` (with `MUJO_DATA` set) measures this page. Optical poses of the IMUs themselves become",
        "signals by each method; each is aligned in the same way on the first half "
        f"({', '.join(ALIGN)}, per sensor) and scored on the second. Medians over sensors and axes (rmse: over sensors).",
        "Best of a column in bold, whoever it is.",
    ]
    for name in SETS:
        found = compare(name)
        lines += [
            "",
            f"## {name}",
            "",
            "| method | acc r | acc rmse m/s² | gyro r | gyro rmse rad/s |",
            "|---|---|---|---|---|",
        ]
        for method, row in found.items():
            cells = []
            for key, best in (("acc_r", max), ("acc_rmse", min), ("gyro_r", max), ("gyro_rmse", min)):
                text = f"{row[key]:.3f}"
                top = f"{best(r[key] for r in found.values()):.3f}"
                cells.append(f"**{text}**" if text == top else text)
            lines.append(f"| {method} | " + " | ".join(cells) + " |")
    lines += [
        "",
        "What this says, plainly: on noisy optical poses (swing, BROAD) differences are useless and low-passed ones clearly behind;",
        "on the clean 30 Hz poses of the chain plain differences are as good as ours. On foam nobody knows the ringing at",
        "10–12 Hz, near the cameras' Nyquist frequency; no soft-tissue model is identified yet. UTD-MHAD is not measured here yet.",
        "OpenSim's IMU needs a model's coordinates instead of poses, imu-error-model only adds errors: neither applies.",
        "",
    ]
    PAGE.write_text("\n".join(lines), encoding="utf-8")
    print(f"wrote {PAGE}")


if __name__ == "__main__":
    main()
