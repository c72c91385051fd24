"""A folder whose files appear all at the end, or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from imusim.errors import OutputError


@contextmanager
def folder_for(folder: Path) -> Iterator[Path]:
    """A hidden folder inside `folder` to write into; removed at the end, also after an error.

    Raises
    ------
    OutputError
        If `folder` cannot be made or written to, or the disk is full.
    """
    partial = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_orphans(folder)
        partial = Path(tempfile.mkdtemp(prefix=f".partial-{os.getpid()}-", dir=folder))
        yield partial
    except (PermissionError, NotADirectoryError, FileExistsError) as error:
        raise OutputError(
            f"cannot write to {folder}: {error.strerror}. Give another folder with --out."
        ) from None
    except OSError as error:
        if isinstance(error, OutputError) or error.errno is None:
            raise
        raise OutputError(f"cannot write to {folder}: {error.strerror}. Nothing was changed there.") from None
    finally:
        if partial is not None:
            shutil.rmtree(partial, ignore_errors=True)
        with suppress(OSError):
            folder.rmdir()  # only if it is empty, after an error


def _remove_orphans(folder: Path) -> None:
    """Remove what runs that were killed left in `folder`; those still running keep theirs."""
    for orphan in folder.glob(".partial-*-*"):
        pid = orphan.name.split("-")[1]
        if pid.isdigit() and int(pid) != os.getpid() and not _alive(int(pid)):
            shutil.rmtree(orphan, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def publish(partial: Path, folder: Path) -> tuple[Path, ...]:
    """Move everything from `partial` into `folder`, each file in one step."""
    files: list[Path] = []
    for file in sorted(partial.iterdir()):
        os.replace(file, folder / file.name)
        files.append(folder / file.name)
    return tuple(files)
