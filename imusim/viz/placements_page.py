"""The page of the named places: docs/placements.png and docs/placements.md.

python -m imusim.viz.placements_page --out docs
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from imusim.body import open_body
from imusim.placement import FIMAD16, attach, groups, placements
from imusim.types import Body
from imusim.viz.body_view import AXIS_COLOURS, draw_placements

WIDTH = 26.4
"""Width of the picture, inches."""


_USES = """\
## Worn as people wear them

No watch sits exactly where the table says. `Placement.vary` draws where one really sits and how it is turned:

```python
import numpy as np

import imusim as im
from imusim.variation import DONNING

watch = im.placements()["left_wrist"]
wearer = np.random.default_rng([7, 0])  # seed, number of the person
habit = watch.vary(wearer)  # imusim.variation.WEARER: 2 cm along the arm, 12° round it, 6° tilt, 8° turn
days = [habit.vary(wearer, DONNING) for _ in range(5)]  # half of that again, every time it is put on
rec = im.simulate(motion, [days[0]], sensor="bmi270")
```

| field of `im.Variation` | what varies | kind |
|---|---|---|
| `slide_m` | place along the segment | sd, m |
| `around_deg` | place around the segment; the device turns with the skin | sd, degrees about the bone |
| `tilt_deg` | tilt off the skin, about each of the two axes across the outward direction | sd, degrees |
| `heading_deg`, `any_heading` | turn on the skin; uniform if `any_heading` | sd, degrees; yes or no |
| `upside_down`, `face_in` | the wrong way up; the screen to the body | probability |
| `swap` | on the other side of the body, mirrored | probability |

- Everything is 0 by default, and `Variation()` returns the placement itself. `variation.scaled(strength)` sets a dose.
- The **name stays the planned one**, also after a swap: it is what the data set's label would say. `joint` and
  `description` say where the device really is, and both are in the recording's metadata.
- One seed at two strengths is one wearer, worn twice as far off. Placements draw one after the other from a generator.
- The draws are numbers in the placement (`slide_m`, `around_deg`, turned axes), measured out on the skin of the
  particular body when it is attached. They may be written by hand, also in a YAML file:
  `{name: loose_watch, base: left_wrist, slide_m: -0.03, around_deg: 40}`.
- `WEARER`'s 2 cm come from a study that tried 5 cm as the worst case (PMC10820910). Its angles and `DONNING` are
  notional: set your own where you know better. For a phone in a pocket:
  `im.Variation(slide_m=0.03, around_deg=15, tilt_deg=8, heading_deg=15, upside_down=0.5, face_in=0.5)`.

## Everywhere at once

A sensor on every vertex of the skin, exact as any other, with z off the skin and x along the segment:

```python
found = im.sweep_statistics(motion, rate_hz=50)  # acc_rms, acc_peak, gyro_rms, gyro_peak of every vertex
for block in im.sweep(motion, rate_hz=50, vertices=range(0, 13492, 10)):  # or the signals, streamed
    block.time_s, block.vertices, block.acc, block.gyro  # (T,), (S,), (T, S, 3), (T, S, 3)
```

A block takes about 64 MB, however long the motion (or set `block_s`).

    imusim sweep out/motion.npz --out painted.png    # the body, painted with how strongly each point moves
"""


def placements_figure(body: Body | None = None) -> Any:
    """Return a figure of every named place: front, back, left side and the joints of "fimad"."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    body = open_body() if body is None else body
    every = placements()
    skin = {n: p for n, p in every.items() if p.on == "skin"}
    out = {n: p.axes_xyz[2] for n, p in skin.items()}
    back = [n for n in skin if out[n][2] < -0.3]
    lateral = ("ear", "shoulder", "upper_arm", "forearm", "wrist", "hand", "ankle")
    side = [f"left_{n}" for n in lateral]
    front = [n for n in skin if n not in back]
    panels = (
        ("front", front, "Front"),
        ("back", back, "Back"),
        ("left", side, "Left side"),
        ("front", FIMAD16, 'Joints ("fimad")'),
    )
    inches = 4.1  # a metre
    unplaced: Any = "none"  # its stubs leave this value out
    figure = Figure(figsize=(WIDTH, 1.8 * inches + 1.0), layout=unplaced)
    centre = 3.8
    for view, names, title in panels:
        ax = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        sites = attach(body, None, [every[n] for n in names])
        draw_placements(
            ax, body, None, sites, view=view, alpha=0.22 if names is FIMAD16 else 1.0, font_size=10.5
        )
        (x0, x1), (y0, y1) = ax.get_xlim(), ax.get_ylim()
        width, height = inches * (x1 - x0), inches * (y1 - y0)
        box = (centre - width / 2, 0.5, width, height)
        ax.set_position(
            (box[0] / WIDTH, box[1] / (1.8 * inches + 1.0), box[2] / WIDTH, box[3] / (1.8 * inches + 1.0))
        )
        ax.set_title(title, fontsize=15)
        centre += {"Front": 7.0, "Back": 5.2, "Left side": 6.2}.get(title, 0.0)
    handles = [
        Line2D([], [], color=c, lw=2, label=f"sensor {a}") for a, c in zip("xyz", AXIS_COLOURS, strict=True)
    ]
    figure.legend(handles=handles, loc="lower center", ncol=3, frameon=False, fontsize=13)
    return figure


def placements_page() -> str:
    """Return the text of docs/placements.md: the picture, the axes, a table of every named place."""
    import imusim.placement

    def words(v: tuple[float, ...]) -> str:
        names = (("right", "left"), ("down", "up"), ("back", "front"))
        order = sorted(range(3), key=lambda i: -abs(v[i]))
        return "-".join(names[i][v[i] > 0] for i in order if abs(v[i]) > 0.3)

    text = ["# Placements", "", "<!-- written by python -m imusim.viz.placements_page; do not edit -->", ""]
    text += ["![every named place, with its axes](placements.png)", ""]
    text += [
        "Directions are those of the rest (T) pose: left and right are the person's. Arms are drawn lowered.",
        "",
    ]
    text += ["```", *(imusim.placement.__doc__ or "").strip().splitlines()[2:], "```", ""]
    text += ["| name | place | x | y | z | device x | device y |", "|---|---|---|---|---|---|---|"]
    for name, p in placements().items():
        if p.on == "skin":
            device = p.device_xyz or p.axes_xyz
            cells = [words(v) for v in (*p.axes_xyz, device[0], device[1])]
            text.append(f"| `{name}` | {p.description} | " + " | ".join(cells) + " |")
    text += ["", "Groups:", ""]
    text += [
        f"- `{g}`: {', '.join(f'`{n}`' for n in members)}" for g, members in groups().items() if g != "all"
    ]
    text += ["- `all`: every place in the table", "", _USES]
    return "\n".join(text)


def main() -> None:
    """Write the picture and the page."""
    import argparse

    parser = argparse.ArgumentParser(description="Draw every named place on the body.")
    parser.add_argument(
        "--out", type=Path, default=Path("docs"), help="folder for placements.png and placements.md"
    )
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    placements_figure().savefig(out / "placements.png", dpi=85)
    (out / "placements.md").write_text(placements_page(), encoding="utf-8")
    print(f"{out / 'placements.png'}\n{out / 'placements.md'}")


if __name__ == "__main__":
    main()
