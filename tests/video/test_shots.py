import numpy as np
import pytest

from imusim.video.shots import CameraMotion, ShotDetector, decorrelation, image_shift, thumbnail


def scene(seed: int, width: int = 320, height: int = 180) -> np.ndarray:
    """A picture with structure at several sizes."""
    rng = np.random.default_rng(seed)
    image = np.zeros((height, width, 3))
    for cells in (4, 9, 20):
        across = cells * 2 * width // 320
        coarse = rng.uniform(0, 255, (cells, across, 3))
        rows = np.linspace(0, cells - 1e-6, height).astype(int)
        columns = np.linspace(0, across - 1e-6, width).astype(int)
        image += coarse[rows][:, columns] / 3
    return image


def shots_of(images) -> list[int]:
    detector = ShotDetector()
    return [detector(np.clip(i, 0, 255).astype(np.uint8)) for i in images]


def test_hard_cuts_and_only_those():
    rng = np.random.default_rng(0)
    frames = [scene(s) + rng.normal(0, 4, (180, 320, 1)) for s in (1, 2, 3) for _ in range(20)]
    assert shots_of(frames) == [0] * 20 + [1] * 20 + [2] * 20


def test_exposure_change_is_no_cut():
    base = scene(1) * 0.8
    gains = [1.0] * 10 + [0.45] * 10 + [1.2] * 10  # sudden, both ways
    assert set(shots_of([base * g for g in gains])) == {0}


def test_large_fast_person_is_no_cut():
    base = scene(1)
    frames = []
    for i in range(30):
        image = base.copy()
        x = (37 * i) % 260
        image[20:, x : x + 60] = (200, 40, 30)  # crosses the picture in eight frames
        frames.append(image)
    assert set(shots_of(frames)) == {0}


def test_fast_pan_is_no_cut():
    wide = scene(1, width=3000)
    frames = [wide[:, 12 * i : 12 * i + 320] for i in range(40)]  # a picture width in a second
    assert set(shots_of(frames)) == {0}


def test_flash_comes_back_to_the_same_shot():
    base, flash = scene(1), np.full((180, 320, 3), 255.0)
    flash[:90] = 250
    shots = shots_of([base] * 10 + [flash] + [base] * 10)
    assert shots[0] == shots[-1] == 0


def test_decorrelation_ignores_gain_and_offset():
    a = scene(1)[..., 0]
    assert decorrelation(a, 0.3 * a + 20) == pytest.approx(0.0, abs=1e-12)
    assert decorrelation(a, scene(7)[..., 0]) > 0.6
    assert decorrelation(np.full((5, 5), 7.0), np.full((5, 5), 9.0)) == 0.0


def test_thumbnail_averages():
    image = np.full((100, 400, 3), 90, np.uint8)
    small = thumbnail(image, 50)
    assert small.shape[1] == pytest.approx(50, abs=2)
    assert (small == 90).all()


@pytest.mark.parametrize(("dx", "dy"), [(3.0, 0.0), (-5.0, 2.0), (0.0, 0.0), (0.5, -0.5)])
def test_image_shift_finds_the_shift(dx, dy):
    """Against a shift made in the Fourier domain, exact for a band-limited picture."""
    rng = np.random.default_rng(2)
    h, w = 90, 160
    ky, kx = np.fft.fftfreq(h)[:, None], np.fft.rfftfreq(w)[None, :]
    spectrum = np.fft.rfft2(rng.normal(size=(h, w))) * np.exp(-(kx**2 + ky**2) / (2 * 0.08**2))
    a = 100 + 300 * np.fft.irfft2(spectrum, s=(h, w))
    b = 100 + 300 * np.fft.irfft2(spectrum * np.exp(-2j * np.pi * (kx * dx + ky * dy)), s=(h, w))
    got = image_shift(a, b)
    np.testing.assert_allclose(got[:2], (dx, dy), atol=0.15)


def test_moving_camera_is_noticed_and_a_moving_person_is_not():
    wide = scene(1, width=3000)

    def fraction(speed: float, walker: bool) -> float:
        camera = CameraMotion(interval_s=0.4)
        for i in range(90):
            x = int(speed * i)
            image = wide[:, x : x + 320].copy()
            box = None
            if walker:
                image[40:170, 3 * i : 3 * i + 50] = (180, 30, 30)
                box = np.array([3.0 * i, 40, 3 * i + 50, 170])
            camera(image.astype(np.uint8), i / 30, 0, box)
        return camera.moving_fraction

    assert fraction(0.0, walker=True) == 0.0
    assert fraction(0.0, walker=False) == 0.0
    assert fraction(1.0, walker=True) > 0.8  # 30 px a second, a tenth of the picture
