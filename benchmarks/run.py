"""Run every benchmark, each in a process of its own, and rewrite benchmarks/README.md."""

import subprocess
import sys

PARTS = (
    "bench_bar",
    "bench_core",
    "bench_sensors",
    "bench_video",
    "bench_memory",
    "bench_views",
    "fit.bench_views_fit",
    "fit.bench_synthetic",
    "fit.bench_plain",
    "fit.bench_fit_speed",
    "bench_rendered",
    "fit.bench_utd",
    "fit.bench_keraal",
    "bench_train",
)

if __name__ == "__main__":
    failed = [
        part
        for part in PARTS
        if subprocess.run([sys.executable, "-m", f"benchmarks.{part}"], check=False).returncode
    ]
    sys.exit(f"not measured, their sections are as they were: {', '.join(failed)}" if failed else 0)
