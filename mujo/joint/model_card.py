"""README.md of a pre-trained encoder: what it was trained on, how well it finds, what it is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from imusim._version import __version__
from mujo.joint.retrieval import Retrieval


def model_card(about: Mapping[str, Any], found: Sequence[Retrieval]) -> str:
    """Markdown text of the card.

    Parameters
    ----------
    about : corpus, steps, clips, movements, modalities, settings
    found : retrieval on held-out clips
    """
    s = about["settings"]
    lines = [
        "# An inertial encoder of a joint space (MuJo)",
        "",
        f"Made by `mujo pretrain` {__version__}. Corpus: {about['corpus'] or 'not named'}; {about['clips']} clips of "
        f"{about['movements']} movements, {about['held_out_clips']} clips of other groups held out. Modalities: "
        f"{', '.join(about['modalities'])}.",
        "",
        f"Encoder {s['encoder']}; windows of {s['window_s']:g} s, acc in m/s² (specific force) and gyro in rad/s, "
        f"either may be missing; placements: {', '.join(s['placements']) or 'all of the clips'}. {about['best_step']} of "
        f"{about['steps']} steps (best on the held-out groups, loss {about['validation_loss']:.4f}), seed {s['seed']}.",
        "",
        f"Unlabelled signals of a target data set's people: {'used' if about['own_windows'] else 'not used'}.",
        "",
        "    import mujo",
        '    clf = mujo.HARClassifier(encoder="encoder.safetensors").fit(X, y)',
        "",
        "Signals are simulated; the paper's own corpus (FiMAD) is not what it was trained on, and its figures are not to be "
        "expected.",
        "",
        "## Retrieval on held-out clips",
        "",
        "One window a clip. To and from text every clip that says the same counts as found; else only the clip itself.",
        "",
        "| asked | wanted | k | recall | chance | clips |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {r.asked} | {r.wanted} | {r.k} | {r.recall:.3f} | {r.chance:.3f} | {r.clips} |" for r in found
    ]
    return "\n".join(lines) + "\n"
