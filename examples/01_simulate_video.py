"""A video becomes an IMU recording: python examples/01_simulate_video.py clip.mp4 [height in metres]."""

import sys

import imusim as im


def main(clip: str, height_m: float | None = None, out: str = "walk.parquet") -> im.Recording:
    """Simulate a watch and a phone on the person in `clip`."""
    track = im.estimate_pose(clip)
    motion = im.fit(track, body=im.open_body(), height_m=height_m)
    rec = im.simulate(motion, ["left_wrist", "right_pocket"], sensor=im.sensor.BMI270, rate_hz=100, seed=0)
    rec.save(out)
    print(rec.to_dataframe().describe().T[["mean", "std", "min", "max"]].round(2))
    print(f"up is known to ±{motion.up_sd_deg:.1f}°, motion up to {motion.bandwidth_hz:.1f} Hz")
    return rec


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else None)
