"""Runs in the peers' own environment: worker.py NAME in.npz out.npz. Imports nothing of ours."""

import sys
import time

import numpy as np


def opensim_imu(amplitude, omega, phase, offset_m, times):
    """OpenSim's IMU on a body whose six coordinates are sines: amplitude, omega, phase (6,), offset_m (3,), times (T,)."""
    import opensim as osim

    osim.Logger.setLevelString("Error")
    model = osim.Model()
    body = osim.Body("b", 1.0, osim.Vec3(0), osim.Inertia(0.01, 0.01, 0.01))
    model.addBody(body)
    moves = (
        osim.SpatialTransform()
    )  # rotations about x, y, z, then translations; speeds are their derivatives
    for i, name in enumerate(("rx", "ry", "rz", "tx", "ty", "tz")):
        axis, names = moves.updTransformAxis(i), osim.ArrayStr()
        names.append(name)
        axis.setCoordinateNames(names)
        axis.set_function(osim.LinearFunction(1.0, 0.0))
    joint = osim.CustomJoint("j", model.getGround(), body, moves)
    model.addJoint(joint)
    frame = osim.PhysicalOffsetFrame("f", body, osim.Transform(osim.Vec3(*map(float, offset_m))))
    body.addComponent(frame)
    imu = osim.IMU()
    imu.setName("imu")
    imu.connectSocket_frame(frame)
    model.addComponent(imu)
    model.setGravity(osim.Vec3(0, 0, -9.80665))
    for i in range(6):
        coordinate = joint.upd_coordinates(i)
        coordinate.set_prescribed(True)
        coordinate.setPrescribedFunction(osim.Sine(float(amplitude[i]), float(omega[i]), float(phase[i])))
    state = model.initSystem()
    coordinates = [joint.upd_coordinates(i) for i in range(6)]

    def pose(t):
        state.setTime(float(t))
        for i, c in enumerate(coordinates):
            c.setValue(state, float(amplitude[i] * np.sin(omega[i] * t + phase[i])), False)
            c.setSpeedValue(state, float(amplitude[i] * omega[i] * np.cos(omega[i] * t + phase[i])))

    acc, gyro, rotation, position = (
        np.empty((times.size, 3)),
        np.empty((times.size, 3)),
        np.empty((times.size, 3, 3)),
        np.empty((times.size, 3)),
    )
    started = time.process_time()
    for k, t in enumerate(times):
        pose(t)
        model.realizeAcceleration(state)
        a, g = imu.calcAccelerometerSignal(state), imu.calcGyroscopeSignal(state)
        acc[k], gyro[k] = (a[0], a[1], a[2]), (g[0], g[1], g[2])
    seconds = time.process_time() - started
    for k, t in enumerate(times):
        pose(t)
        model.realizePosition(state)
        x = body.getTransformInGround(state)
        position[k] = [x.p()[i] for i in range(3)]
        rotation[k] = [[x.R().asMat33().get(i, j) for j in range(3)] for i in range(3)]
    return {"acc": acc, "gyro": gyro, "rotation": rotation, "position": position, "seconds": seconds}


def xio(times, position, quaternion):
    """x-io's imusim on one frame: times (T,), position (T, 3), quaternion (T, 4) wxyz; signals, and with errors."""
    import imusim

    table = np.column_stack([times, position, quaternion])
    np.savetxt("motion.csv", table, delimiter=",", header="t,x,y,z,w,x,y,z", comments="", fmt="%.15g")
    started = time.process_time()
    simulator = imusim.Simulator("motion.csv")
    clean = time.process_time() - started
    out = {
        "time": simulator.time,
        "acc": simulator.accelerometer * 9.8,
        "gyro": np.radians(simulator.gyroscope),
    }
    out = {k: np.array(v) for k, v in out.items()}
    started = time.process_time()
    simulator.set_gyroscope(
        2000,
        40,
        np.ones(3),
        np.ones(3),
        0.007 * np.ones(3),
        np.ones(3),
        0.5,
        0.003 * np.ones(3),
        8,
        1e-4 * np.ones(3),
    )
    simulator.set_accelerometer(
        16,
        40,
        np.full(3, 0.02),
        np.ones(3),
        np.full(3, 1.6e-4),
        np.ones(3),
        0.5,
        np.full(3, 4e-5),
        8,
        np.full(3, 1e-6),
    )
    return {**out, "clean_seconds": clean, "chain_seconds": time.process_time() - started}


def error_model(times, velocity, quaternion):
    """imu-error-model on one sensor with everything it has switched on: samples one by one, as it works."""
    import imu_error_model as m

    def channel(white, scale):
        return m.AxisConfig(
            white_noise_density=white, turn_on_bias_std=scale, bias_std=0.1 * scale, bias_correlation_time=300.0,
            flicker_bias_std=0.1 * scale, flicker_min_correlation_time=1.0, flicker_max_correlation_time=3000.0,
            scale_factor=0.01, nonlinear_factor=1e-4, misalignment_std=0.01, measurement_range=200.0,
            thermal_bias_coefficient=1e-4, thermal_scale_factor_coefficient=1e-5, quantization_step=1e-4,
        )  # fmt: skip

    model = m.ImuModel(m.ImuConfig(accelerometer=channel(1e-3, 0.1), gyroscope=channel(1e-4, 0.01)))
    w, x, y, z = quaternion.T
    rotation = np.stack(
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y), 2 * (x * y + w * z), 1 - 2 * (x * x + z * z),
         2 * (y * z - w * x), 2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)], axis=1,
    ).reshape(-1, 3, 3)  # fmt: skip
    try:
        model.measure(float(times[0]), velocity[0], rotation[0], 30.0)
        turn = rotation
    except Exception:
        turn = quaternion
        model.measure(float(times[0]), velocity[0], turn[0], 30.0)
    started = time.process_time()
    for t, v, q in zip(times[1:], velocity[1:], turn[1:], strict=True):
        model.measure(float(t), v, q, 30.0)
    return {"seconds": time.process_time() - started}


if __name__ == "__main__":
    name, given, found = sys.argv[1:]
    with np.load(given) as arrays:
        result = globals()[name](**{key: arrays[key] for key in arrays.files})
    np.savez(found, **result)
