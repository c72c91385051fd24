"""Benchmarks: `python -m benchmarks.run` measures everything and rewrites benchmarks/README.md."""
