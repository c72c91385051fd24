"""Run every benchmark and rewrite benchmarks/README.md."""

from benchmarks import (
    bench_bar,
    bench_core,
    bench_memory,
    bench_sensors,
    bench_train,
    bench_video,
    bench_views,
)

if __name__ == "__main__":
    for part in (bench_bar, bench_core, bench_sensors, bench_video, bench_memory, bench_views, bench_train):
        part.main()
