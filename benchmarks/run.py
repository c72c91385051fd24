"""Run every benchmark and rewrite benchmarks/README.md."""

from benchmarks import bench_core, bench_video, bench_views

if __name__ == "__main__":
    for part in (bench_core, bench_views, bench_video):
        part.main()
