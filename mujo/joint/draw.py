"""Windows drawn from clips: which clip, where in it, worn where; the same modalities on the same clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor

from imusim.conventions import STANDARD_GRAVITY
from mujo.corpus import Clip
from mujo.encoders.frontend import CHANNELS, GYRO_UNIT
from mujo.errors import ConfigError, DatasetError

VIDEO_FRAMES = 8


@dataclass(frozen=True)
class Batch:
    """B windows.

    Attributes
    ----------
    inputs : modality → tensor, as `mujo.joint.JointModel.embed` takes them; zeros where missing
    present : modality → (B,) bool
    alike : (B, B) bool, which have the same label (or, without one, come from one clip)
    clip : (B,) which clip
    """

    inputs: dict[str, Tensor]
    present: dict[str, Tensor]
    alike: Tensor
    clip: Tensor


class WindowDraw:
    """Draws windows from clips, movements equally often.

    Parameters
    ----------
    clips : at least one
    placements : where sensors may sit; each clip must have at least one of them, one is drawn a window. None: all
    modalities : which are drawn beside "imu"
    window_s : length · s

    Raises
    ------
    DatasetError
        If there is no clip, or a clip has none of the placements.
    ConfigError
        If clips differ in rate, or in the size of a modality.
    """

    def __init__(
        self,
        clips: Sequence[Clip],
        *,
        placements: Sequence[str] | None = None,
        modalities: Sequence[str] = ("text", "pose", "video"),
        window_s: float = 2.0,
    ) -> None:
        if not clips:
            raise DatasetError("the corpus has no clip on this side of the split; wanted one or more")
        rates = {c.rate_hz for c in clips}
        if len(rates) != 1:
            raise ConfigError(f"clips of different rates {sorted(rates)} Hz: resample them to one")
        self.length = round(window_s * rates.pop())
        self.names = [c.key for c in clips]
        self.imu: list[Tensor] = []
        self.gyro: list[Tensor] = []
        self.whole: list[Tensor] = []
        self.pose: list[Tensor | None] = []
        self.text: list[Tensor | None] = []
        self.video: list[tuple[Tensor, Tensor] | None] = []
        for c in clips:
            which = [
                i
                for i, p in enumerate(c.placements)
                if (placements is None or p in placements) and np.isfinite(c.imu[:, i]).any()
            ]
            if not which:
                raise DatasetError(
                    f"clip {c.key} has sensors {list(c.placements)}, none of {list(placements or ['with signals'])}"
                )
            signal = _scaled(_at_least(c.imu[:, which], self.length))
            self.imu.append(signal.nan_to_num())
            self.gyro.append(torch.isfinite(signal[:, :, 3:]).all(dim=2))
            good = torch.isfinite(signal[:, :, :3]).all(dim=2).to(torch.float32)  # acc decides; (T, S)
            runs = good.T.unfold(1, self.length, 1).amin(dim=2)
            starts = torch.nonzero(runs > 0)  # (n, 2): sensor, start
            if not len(starts):
                raise DatasetError(f"clip {c.key} has no {window_s:g} s of signal without gaps")
            self.whole.append(starts)
            pose = c.pose if "pose" in modalities else None
            self.pose.append(None if pose is None else torch.from_numpy(_at_least(pose, self.length)))
            text = c.text_features if "text" in modalities and len(c.text) else None
            self.text.append(None if text is None else torch.from_numpy(np.ascontiguousarray(text)))
            if c.video is None or c.video_time_s is None or "video" not in modalities or not len(c.video):
                self.video.append(None)
            else:
                self.video.append(
                    (torch.from_numpy(c.video), torch.from_numpy(np.asarray(c.video_time_s) * c.rate_hz))
                )
        said = [c.label or f"clip {c.key}" for c in clips]
        self.label_names, label = np.unique(said, return_inverse=True)
        self.label = torch.from_numpy(label)
        order = torch.argsort(self.label, stable=True)
        counts = torch.bincount(self.label)
        self._order, self._counts, self._first = order, counts, torch.cumsum(counts, 0) - counts
        self.sizes = {
            "text": _one_size([t.shape[1] for t in self.text if t is not None], "text features"),
            "pose": _one_size([p.shape[1] for p in self.pose if p is not None], "joints"),
            "video": _one_size([v[0].shape[1] for v in self.video if v is not None], "video features"),
        }

    def __len__(self) -> int:
        """Number of clips."""
        return len(self.imu)

    def clips(self, batch: int, generator: Generator) -> Tensor:
        """Draw clips (batch,): a movement, then one of its clips."""
        which = torch.randint(len(self._counts), (batch,), generator=generator)
        share = torch.rand(batch, generator=generator, dtype=torch.float64)
        return self._order[self._first[which] + (share * self._counts[which]).long()]

    def __call__(self, clip: Tensor, generator: Generator) -> Batch:
        """Draw one window of each of the clips (B,), and a placement for each."""
        count, length = len(clip), self.length
        inputs = {"imu": torch.zeros(count, CHANNELS, length)}
        inputs["imu"][:, 6:] = 1.0
        present = {"imu": torch.ones(count, dtype=torch.bool)}
        for name, size in self.sizes.items():
            if size:
                shape = {"text": (size,), "pose": (length, size, 3), "video": (VIDEO_FRAMES, size)}[name]
                inputs[name] = torch.zeros(count, *shape)
                present[name] = torch.zeros(count, dtype=torch.bool)
        where = torch.rand(count, generator=generator, dtype=torch.float64).tolist()
        phrase = torch.rand(count, generator=generator, dtype=torch.float64).tolist()
        for row, i in enumerate(clip.tolist()):
            starts = self.whole[i]
            sensor, start = starts[int(where[row] * len(starts))].tolist()
            inputs["imu"][row, :6] = self.imu[i][start : start + length, sensor].T
            if not self.gyro[i][start : start + length, sensor].all():
                inputs["imu"][row, 3:6], inputs["imu"][row, 7] = 0.0, 0.0
            text, pose, video = self.text[i], self.pose[i], self.video[i]
            if text is not None:
                inputs["text"][row] = text[int(phrase[row] * len(text))]
                present["text"][row] = True
            if pose is not None:
                inputs["pose"][row] = pose[start : start + length]
                present["pose"][row] = True
            if video is not None:
                frames, at = video
                wanted = start + (torch.arange(VIDEO_FRAMES) + 0.5) * (length / VIDEO_FRAMES)
                nearest = (at[None, :] - wanted[:, None]).abs().argmin(dim=1)
                inputs["video"][row] = frames[nearest]
                present["video"][row] = True
        return Batch(inputs, present, self.label[clip][:, None] == self.label[clip][None, :], clip)


def _scaled(imu: np.ndarray) -> Tensor:
    """(T, S, 6) in the encoder's units."""
    scale = np.array([STANDARD_GRAVITY] * 3 + [GYRO_UNIT] * 3, np.float32)
    return torch.from_numpy(np.ascontiguousarray(imu, dtype=np.float32) / scale)


def _at_least(x: np.ndarray, length: int) -> np.ndarray:
    """Hold the last sample of what is shorter than a window."""
    short = length - len(x)
    return np.pad(x, ((0, short), *((0, 0),) * (x.ndim - 1)), mode="edge") if short > 0 else x


def _one_size(sizes: list[int], what: str) -> int:
    if len(set(sizes)) > 1:
        raise ConfigError(f"clips have different numbers of {what}: {sorted(set(sizes))}")
    return sizes[0] if sizes else 0
