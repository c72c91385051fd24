"""Files that appear whole, all together, or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from imusim.errors import OutputError


@contextmanager
def written_together(*targets: Path) -> Iterator[tuple[Path, ...]]:
    """Yield a temporary path beside each target; at the end, move all of them into place.

    After an error inside, the temporary files are removed and the targets are what they were.

    Raises
    ------
    OutputError
        If a file cannot be written (no such folder, no permission, disk full).
    """
    token = f"{os.getpid()}-{secrets.token_hex(4)}"
    # the suffix stays last: NumPy and others add one that they miss
    temporary = tuple(t.with_name(f".partial-{token}-{t.name}") for t in targets)
    where = targets[0]
    try:
        for target in targets:
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.is_dir():
                raise OutputError(f"cannot write {target}: it is a folder. Give another name.")
        yield temporary
        for path in temporary:
            with open(path, "rb+") as file:
                os.fsync(file.fileno())
        for path, where in zip(temporary, targets, strict=True):
            os.replace(path, where)
    except OutputError:
        raise
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        raise OutputError(
            f"cannot write {where}: {why}. Nothing was left half-written; give another folder."
        ) from None
    finally:
        for path in temporary:
            try:
                path.unlink(missing_ok=True)
            except OSError:
                continue
