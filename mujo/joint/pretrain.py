"""`mujo pretrain`: the joint space of video, text, pose and IMU, trained on clips; goes on where it was killed.

In the folder: `log.csv` (loss by step), `joint.safetensors` and `encoder.safetensors` (the step that was best on held-out
groups), `retrieval.csv`, `config.json`, `README.md` (the model card); `unfinished.safetensors` while it runs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn

from mujo.augment import WORN, Augmentation
from mujo.checkpoint import read_tensors, save_encoder, write_tensors
from mujo.corpus import Clip
from mujo.errors import CheckpointError, ConfigError, DatasetError, MissingExtra, TrainingError
from mujo.files import write_whole
from mujo.joint.draw import Batch, WindowDraw
from mujo.joint.model import JointModel, load_joint, save_joint
from mujo.joint.model_card import model_card
from mujo.joint.retrieval import retrieval, write_retrieval
from mujo.joint.training_log import TrainingLog
from mujo.objectives.joint import all_pairs
from mujo.objectives.simclr import SimCLR
from mujo.training import adamw, check_loss, one_thread, schedule, seeded

_FORMAT = "mujo-joint-unfinished-1"


@dataclass(frozen=True)
class JointSettings:
    """How a joint space is trained.

    Parameters
    ----------
    encoder : name of the inertial encoder
    modalities : which are used beside "imu"
    placements : which sensors of the clips are drawn; empty: all
    window_s : length of a window · s
    steps, batch, lr, weight_decay : of the loop (AdamW, warm-up, cosine)
    dimension, temperature : of the space
    augmentation : of the inertial windows, drawn for each
    validate_every : steps between two looks at the held-out groups, and between two files to go on from
    own_weight : weight of the two-view term (SimCLR) on unlabelled windows of the target, where they are given
    seed : same seed, same bits
    """

    encoder: str = "fcn"
    modalities: tuple[str, ...] = ("text", "pose", "video")
    placements: tuple[str, ...] = ()
    window_s: float = 2.0
    steps: int = 1000
    batch: int = 192
    lr: float = 2e-3
    weight_decay: float = 0.02
    dimension: int = 512
    temperature: float = 0.1
    augmentation: Augmentation = field(default=WORN)
    validate_every: int = 100
    own_weight: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 2 or self.validate_every < 1 or not self.lr > 0:
            raise ConfigError(
                f"{self}: wanted steps and validate_every of 1 or more, a batch of 2 or more, lr > 0"
            )
        odd = set(self.modalities) - {"text", "pose", "video"}
        if odd or not self.modalities:
            raise ConfigError(f"modalities {list(self.modalities)}: wanted one or more of text, pose, video")


def pretrain_joint(
    clips: Sequence[Clip],
    out: Path | str,
    settings: JointSettings | None = None,
    *,
    own: Tensor | None = None,
    corpus: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> JointModel:
    """Train a joint space; the best step on the held-out groups is kept.

    Parameters
    ----------
    clips : of both splits ("train", "validation")
    out : folder of the outputs; an unfinished run of the same clips and settings there is gone on with
    settings : None: the defaults
    own : (N, 8, T) unlabelled windows of the target's training people (encoder input), for the two-view term; or None
    corpus : name of the corpus, for the card
    progress : called with (step, steps)

    Raises
    ------
    DatasetError
        If a side of the split is empty, or there are fewer than two movements.
    CheckpointError
        If the folder holds a run of other clips or settings.
    TrainingError
        If the loss is not finite; the last good files stay.
    MissingExtra
        Without Lightning Fabric.
    """
    fabric = _fabric()
    s = settings or JointSettings()
    out = Path(out)
    sides = {
        side: WindowDraw(
            [c for c in clips if c.split == side],
            placements=s.placements or None,
            modalities=s.modalities,
            window_s=s.window_s,
        )
        for side in ("train", "validation")
        if side == "train" or any(c.split == side for c in clips)
    }
    if "validation" not in sides:
        raise DatasetError(f"all {len(clips)} clips are for training: wanted some groups for validation")
    if len(sides["train"].label_names) < 2:
        raise DatasetError("the corpus has one movement only; a contrast needs two or more")
    identity = _identity(clips, s, own)
    with one_thread(), seeded(s.seed) as generator:
        sizes = sides["train"].sizes
        model = JointModel(
            s.encoder, dimension=s.dimension, temperature=s.temperature, text_width=sizes["text"],
            pose_joints=sizes["pose"], video_width=sizes["video"],
        )  # fmt: skip
        views = SimCLR(model.imu.width)
        groups = [(model, s.lr), *([(views, s.lr)] if own is not None else [])]
        optimiser = adamw(groups, s.weight_decay)
        state = _State(out, identity, model, views, optimiser, generator)
        start, best = state.restore()
        best_path = out / "joint.safetensors"
        if start == 0 and (out / "encoder.safetensors").is_file() and best_path.is_file():
            return load_joint(best_path)[0]  # this very run is finished
        log = TrainingLog(
            out, start, ("imu-text", "imu-pose", "imu-video", "text-pose", "text-video", "pose-video")
        )
        whole, running = fabric.setup(model, optimiser)
        whole.train()
        for step in range(start, s.steps):
            schedule(optimiser, step, s.steps)
            batch = sides["train"](sides["train"].clips(s.batch, generator), generator)
            loss, parts = _loss(whole, model, batch, s.augmentation, generator)
            if own is not None:
                chosen = torch.randint(len(own), (s.batch,), generator=generator)
                loss = loss + s.own_weight * views.loss(model.imu, own[chosen], generator)
            value = check_loss(loss, step)
            running.zero_grad(set_to_none=True)
            fabric.backward(loss)
            nn.utils.clip_grad_norm_(
                [p for g in optimiser.param_groups for p in g["params"]], 5.0, foreach=True
            )
            running.step()
            row = {
                "loss": value,
                "temperature": float(1 / model.scale.detach()),
                "lr": optimiser.param_groups[0]["lr"],
                **parts,
            }
            at_mark = (step + 1) % s.validate_every == 0 or step + 1 == s.steps
            if at_mark:
                row["validation"] = validate(model, sides["validation"])
                if not np.isfinite(row["validation"]):
                    raise TrainingError(f"the validation loss became {row['validation']} at step {step}")
                if row["validation"] < best:
                    best = row["validation"]
                    save_joint(best_path, model, {"step": step + 1, "validation": best})
            log.add(step + 1, row)
            if at_mark:
                log.flush()
                if step + 1 < s.steps:
                    state.keep(step + 1, best)
            if progress is not None:
                progress(step + 1, s.steps)
        log.close()
    model, card = load_joint(best_path)
    _finish(out, model, card, s, sides, corpus, own)
    state.place.unlink(missing_ok=True)
    return model


def validate(model: JointModel, draw: WindowDraw, windows: int = 384, seed: int = 0) -> float:
    """Loss on held-out groups: always the same windows, nothing augmented, evaluation mode."""
    generator = Generator().manual_seed(seed)
    before = model.training
    model.eval()
    with torch.no_grad():
        batch = draw(draw.clips(windows, generator), generator)
        loss, _ = all_pairs(model(batch.inputs), batch.present, batch.alike, model.scale)
    model.train(before)
    return float(loss)


def _loss(
    whole: nn.Module, model: JointModel, batch: Batch, augmentation: Augmentation, generator: Generator
) -> tuple[Tensor, dict[str, float]]:
    inputs = dict(batch.inputs)
    inputs["imu"] = augmentation(inputs["imu"], generator)
    loss, parts = all_pairs(whole(inputs), batch.present, batch.alike, model.scale)
    return loss, {k: float(v.detach()) for k, v in parts.items()}


def _fabric() -> Any:
    try:
        from lightning_fabric import Fabric
    except ImportError:
        raise MissingExtra("train", "Pre-training") from None
    return Fabric(accelerator="cpu", devices=1, precision="32-true")


class _State:
    """What a run goes on from: everything, in one safetensors file."""

    def __init__(
        self, out: Path, identity: dict[str, Any], model, views, optimiser, generator: Generator
    ) -> None:
        self.place = out / "unfinished.safetensors"
        self.config = out / "config.json"
        self.identity, self.generator = identity, generator
        self.parts = {"model": model, "views": views}
        self.optimiser = optimiser

    def restore(self) -> tuple[int, float]:
        """Go on from the file if it is there; returns (step, best validation loss). Refuses other runs' folders."""
        if self.config.is_file() and json.loads(self.config.read_text())["identity"] != self.identity:
            theirs = json.loads(self.config.read_text())["identity"]
            odd = next(k for k in self.identity if theirs.get(k) != self.identity[k])
            raise CheckpointError(
                f"{self.config.parent} holds a run with another {odd} ({_short(theirs.get(odd))}, now "
                f"{_short(self.identity[odd])}). Use another folder, or remove that one."
            )
        if not self.place.is_file():
            _write_json(self.config, {"identity": self.identity})
            return 0, float("inf")
        tensors, header = read_tensors(self.place)
        if header.get("format") != _FORMAT or header.get("identity") != self.identity:
            raise CheckpointError(
                f"{self.place} is of another run (other clips, settings or seed). Remove it."
            )
        for name, part in self.parts.items():
            mine = {k.removeprefix(f"{name}."): v for k, v in tensors.items() if k.startswith(f"{name}.")}
            part.load_state_dict(mine)
        state = self.optimiser.state_dict()
        state["state"] = {}
        for name, value in tensors.items():
            if name.startswith("optimiser."):
                _, number, key = name.split(".")
                state["state"].setdefault(int(number), {})[key] = value
        self.optimiser.load_state_dict(state)
        self.generator.set_state(tensors["random.own"])
        torch.set_rng_state(tensors["random.torch"])
        return int(header["step"]), float(header["best"])

    def keep(self, step: int, best: float) -> None:
        """Write the file."""
        tensors = {f"{n}.{k}": v for n, part in self.parts.items() for k, v in part.state_dict().items()}
        for number, state in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{number}.{k}": v for k, v in state.items()}
        tensors |= {"random.own": self.generator.get_state(), "random.torch": torch.get_rng_state()}
        header = {"format": _FORMAT, "identity": self.identity, "step": step, "best": best}
        write_tensors(self.place, tensors, header)


def _identity(clips: Sequence[Clip], settings: JointSettings, own: Tensor | None) -> dict[str, Any]:
    """What must be the same for a run to go on."""
    digest = hashlib.blake2b(digest_size=16)
    for c in clips:
        digest.update(f"{c.key}|{c.split}|{c.label}|{c.imu.shape}|{c.placements}".encode())
        digest.update(np.ascontiguousarray(c.imu).tobytes())
    mine = "" if own is None else hashlib.blake2b(own.numpy().tobytes(), digest_size=16).hexdigest()
    return {"settings": json.loads(json.dumps(asdict(settings))), "clips": digest.hexdigest(), "own": mine}


def _finish(
    out: Path,
    model: JointModel,
    card: dict[str, Any],
    s: JointSettings,
    sides: dict[str, WindowDraw],
    corpus: str,
    own,
) -> None:
    rows = retrieval(model, sides["validation"])
    write_retrieval(out / "retrieval.csv", rows)
    about = {
        "objective": "mujo", "corpus": corpus, "steps": s.steps, "best_step": card["step"],
        "validation_loss": card["validation"], "clips": len(sides["train"]), "held_out_clips": len(sides["validation"]),
        "movements": len(sides["train"].label_names), "modalities": list(model.modalities),
        "own_windows": 0 if own is None else len(own), "settings": json.loads(json.dumps(asdict(s))),
    }  # fmt: skip
    save_joint(out / "joint.safetensors", model, about)
    save_encoder(out / "encoder.safetensors", model.imu, about)
    write_whole(out / "README.md", model_card(about, rows))


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(content, indent=1) + "\n")


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) < 60 else text[:57] + "..."
