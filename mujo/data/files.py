"""Files of a data set, in a folder or in archives, as they were downloaded; nothing is unpacked, nothing unpickled."""

from __future__ import annotations

import itertools
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from mujo.data.dataset import Card
from mujo.errors import DatasetError


class Files:
    """All files under a folder, those inside its zip archives included, by their path from there.

    Parameters
    ----------
    card : of the data set, for messages
    root : folder, or one zip archive; None: the data set's folder under ``MUJO_DATA``

    Raises
    ------
    DatasetError
        If there is no such folder or an archive is damaged.
    """

    def __init__(self, card: Card, root: Path | str | None = None) -> None:
        self.card = card
        found = locate(card, root)
        if found is None:
            place = str(root) if root is not None else f"MUJO_DATA (wanted: its folder {card.folder}/)"
            raise DatasetError(f"{card.key}: nothing at {place}. Get {card.wants} from {card.where}.")
        self.root = found
        self._readers: dict[str, Callable[[], bytes]] = {}
        for path in [found] if found.is_file() else sorted(p for p in found.rglob("*") if p.is_file()):
            if path.suffix.lower() == ".zip":
                self._add_archive(path)
            else:
                self._readers[path.relative_to(found).as_posix()] = path.read_bytes

    def _add_archive(self, path: Path) -> None:
        try:
            with zipfile.ZipFile(path) as archive:
                names = [i.filename for i in archive.infolist() if not i.is_dir()]
        except (zipfile.BadZipFile, OSError) as error:
            raise DatasetError(
                f"{path} is not a whole zip archive ({error}): half-downloaded? Get it again from {self.card.where}."
            ) from None
        for name in names:
            self._readers[name] = lambda name=name: _member(path, name)

    def read(self, name: str) -> bytes:
        """Content of a file.

        Raises
        ------
        DatasetError
            If it cannot be read whole.
        """
        try:
            return self._readers[name]()
        except (OSError, zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise DatasetError(
                f"{self.card.key}: {name} cannot be read whole ({error}). Get it again."
            ) from None

    def matching(self, pattern: str) -> Iterator[tuple[re.Match[str], str]]:
        """Yield (match, name) of the files whose path ends as the pattern says.

        Raises
        ------
        DatasetError
            If there is none: what was wanted, what is there.
        """
        search = re.compile(rf"(?:^|/){pattern}$")
        hits = [(m, name) for name in sorted(self._readers) if (m := search.search(name))]
        if not hits:
            seen = ", ".join(sorted(self._readers)[:3]) or "no file at all"
            raise DatasetError(
                f"{self.card.key}: no file of the official layout in {self.root} (there: {seen} ...). "
                f"Wanted: {self.card.wants}, from {self.card.where}."
            )
        yield from hits

    def optional(self, name: str) -> bytes | None:
        """Content of the file whose path ends like this, or None."""
        for path in sorted(self._readers):
            if path == name or path.endswith("/" + name):
                return self.read(path)
        return None


def locate(card: Card, root: Path | str | None = None) -> Path | None:
    """Where a data set's files are, or None."""
    if root is not None:
        path = Path(root).expanduser()
        return path if path.exists() else None
    base = os.environ.get("MUJO_DATA")
    if not base:
        return None
    path = Path(base).expanduser() / card.folder
    return path if path.exists() else None


def _member(path: Path, name: str) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return archive.read(name)  # checks the CRC


def read_table(text: bytes, name: str, columns: int | None, *, delimiter: str | None = None) -> np.ndarray:
    """Read numbers in rows; NaN is a number.

    Raises
    ------
    DatasetError
        If rows differ in length, something is not a number, or there are not `columns` of them.
    """
    import pandas as pd

    sep = delimiter if delimiter is not None else r"\s+"
    try:
        table = pd.read_csv(BytesIO(text), sep=sep, header=None, dtype=np.float64, na_values=["NaN"])
    except (ValueError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DatasetError(f"{name} is not a table of numbers ({str(error).splitlines()[0]}).") from None
    array = table.to_numpy()
    if columns is not None and array.shape[1] != columns:
        raise DatasetError(f"{name} has {array.shape[1]} columns, wanted {columns}. Is it the official file?")
    return array


def read_array(data: bytes, name: str) -> np.ndarray:
    """Read a ``.npy`` file; never one that holds pickled objects.

    Raises
    ------
    DatasetError
        If it is damaged or holds objects.
    """
    try:
        return np.load(BytesIO(data), allow_pickle=False)
    except ValueError as error:
        if "pickle" in str(error).lower() or "object" in str(error).lower():
            raise DatasetError(
                f"{name} holds pickled objects, which could run code: refused. If you trust where it is from, load it "
                "yourself and save plain numbers: np.save(path, np.asarray(array, dtype=float))."
            ) from None
        raise DatasetError(f"{name} is not a whole .npy file ({error}).") from None
    except (OSError, EOFError) as error:
        raise DatasetError(f"{name} is not a whole .npy file ({error}).") from None


def read_mat(data: bytes, name: str, *variables: str) -> list[np.ndarray]:
    """Read numeric variables of a MATLAB 5 file.

    Raises
    ------
    DatasetError
        If it is damaged, of version 7.3, lacks a variable, or holds something else than numbers.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        content: dict[str, Any] = loadmat(BytesIO(data), variable_names=variables)
    except (MatReadError, ValueError, TypeError, OSError, NotImplementedError, zlib.error) as error:
        raise DatasetError(f"{name} is not a MATLAB file that can be read ({error}).") from None
    out = []
    for variable in variables:
        array = content.get(variable)
        if array is None or array.dtype.kind not in "fiu":
            raise DatasetError(f"{name} has no numeric variable {variable!r}. Is it the official file?")
        out.append(np.asarray(array, dtype=np.float64))
    return out


def stretches(*keys: np.ndarray) -> list[tuple[int, int]]:
    """(first, last + 1) of the rows over which none of the columns changes."""
    count = len(keys[0])
    change = np.zeros(count - 1, dtype=bool)
    for key in keys:
        change |= key[1:] != key[:-1]
    edges = [0, *(np.flatnonzero(change) + 1).tolist(), count]
    return list(itertools.pairwise(edges))
