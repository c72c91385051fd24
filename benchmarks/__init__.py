"""Benchmarks: `python -m benchmarks.run` measures everything and rewrites benchmarks/README.md.

The motions of known truth are those of the tests.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "physics"))
