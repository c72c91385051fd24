"""Native libraries that talk on stderr, kept quiet."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

_NATIVE_LOG = re.compile(
    rb"^(?:[IWEF]\d{4} \d|WARNING: All log messages|INFO: Created TensorFlow Lite|[IW]\d{8} )"
)


@contextmanager
def quiet_native_log() -> Iterator[None]:
    """Keep the native library's log lines off stderr; everything else written there still arrives."""
    sys.stderr.flush()
    try:
        saved = os.dup(2)
    except OSError:  # no stderr at all
        yield
        return
    with tempfile.TemporaryFile() as sink:
        os.dup2(sink.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)
            sink.seek(0)
            rest = b"".join(line for line in sink if not _NATIVE_LOG.search(line))
            if rest.strip():
                os.write(2, rest)
