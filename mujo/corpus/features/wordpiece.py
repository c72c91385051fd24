"""BERT's uncased word pieces: lower case, no accents, punctuation apart, then the longest pieces of the vocabulary.

After the description in Devlin et al., "BERT", 2019, and Wu et al., 2016; checked against a reference implementation.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

_LONGEST_WORD = 100


class WordPieces:
    """Words → numbers.

    Parameters
    ----------
    vocabulary : file with one piece a line; its number is the line's
    """

    def __init__(self, vocabulary: Path) -> None:
        self.pieces = vocabulary.read_text("utf-8").splitlines()

    @cached_property
    def _number(self) -> dict[str, int]:
        return {p: i for i, p in enumerate(self.pieces)}

    def __call__(self, sentence: str, longest: int = 256) -> list[int]:
        """Numbers of a sentence's pieces between [CLS] and [SEP], cut at `longest`."""
        number = self._number
        out = [piece for word in words(sentence) for piece in self._split(word)]
        return [number["[CLS]"], *out[: longest - 2], number["[SEP]"]]

    def _split(self, word: str) -> Sequence[int]:
        number, unknown = self._number, [self._number["[UNK]"]]
        if len(word) > _LONGEST_WORD:
            return unknown
        out: list[int] = []
        start = 0
        while start < len(word):
            for end in range(len(word), start, -1):
                piece = ("##" if start else "") + word[start:end]
                if piece in number:
                    out.append(number[piece])
                    start = end
                    break
            else:
                return unknown
        return out


def words(sentence: str) -> list[str]:
    """Lower-case words of a sentence, every punctuation mark and Chinese character a word of its own."""
    out = []
    for c in unicodedata.normalize("NFD", _clean(sentence).lower()):
        category = unicodedata.category(c)
        if category == "Mn":
            continue
        out.append(f" {c} " if _alone(c, category) else c)
    return "".join(out).split()


def _clean(sentence: str) -> str:
    keep = []
    for c in sentence:
        if c in "\t\n\r" or unicodedata.category(c) == "Zs":
            keep.append(" ")
        elif ord(c) not in (0, 0xFFFD) and not unicodedata.category(c).startswith("C"):
            keep.append(c)
    return "".join(keep)


def _alone(c: str, category: str) -> bool:
    n = ord(c)
    ascii_mark = 33 <= n <= 47 or 58 <= n <= 64 or 91 <= n <= 96 or 123 <= n <= 126
    chinese = (
        0x4E00 <= n <= 0x9FFF or 0x3400 <= n <= 0x4DBF or 0xF900 <= n <= 0xFAFF or 0x20000 <= n <= 0x2CEAF
    )
    return ascii_mark or chinese or category.startswith("P")
