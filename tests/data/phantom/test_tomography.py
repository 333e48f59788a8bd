import numpy as np
import pytest

from ctexp.data.phantom.tomography import Image, Scanner, project, reconstruct

SIZE = 192
AXIS = np.arange(SIZE) - (SIZE - 1) / 2


def disc(radius: float, x: float = 0, y: float = 0) -> Image:
    """How much of each pixel a disc covers."""
    fine = (np.arange(SIZE * 8) + 0.5) / 8 - SIZE / 2
    inside = np.hypot(fine - x, fine[:, np.newaxis] - y) < radius
    covered: Image = inside.reshape(SIZE, 8, SIZE, 8).mean(axis=(1, 3)).astype(np.float32)
    return covered


def test_projections_of_a_disc_are_its_chords() -> None:
    sinogram = project(disc(60), views=90)

    chords = 2 * np.sqrt(np.maximum(60**2 - AXIS**2, 0))
    assert np.abs(sinogram - chords)[:, np.abs(AXIS) < 57].max() < 0.6
    assert np.abs(sinogram - chords).max() < 3
    assert sinogram.sum(axis=1) == pytest.approx(np.pi * 60**2, rel=1e-3)


def test_the_projections_of_an_off_centre_disc_follow_a_sine() -> None:
    sinogram = project(disc(12, x=40, y=-25), views=90)

    angle = np.pi * np.arange(90) / 90
    centre = (sinogram * AXIS).sum(axis=1) / sinogram.sum(axis=1)
    np.testing.assert_allclose(centre, 40 * np.cos(angle) - 25 * np.sin(angle), atol=0.05)


def test_reconstruction_inverts_projection() -> None:
    image = disc(70) - 0.6 * disc(20, x=25, y=10)

    again = reconstruct(project(image, views=288), cutoff=1.5)

    assert again[disc(12, 25, 10) == 1].mean() == pytest.approx(0.4, abs=0.005)
    assert again[(disc(62) == 1) & (disc(28, 25, 10) == 0)].mean() == pytest.approx(1, abs=0.005)
    assert again[(disc(85) == 1) & (disc(78) == 0)].mean() == pytest.approx(0, abs=0.005)


def test_a_scan_shows_hounsfield_units_and_fewer_photons_more_noise() -> None:
    hu = -1000 + 1040 * disc(80) - 840 * disc(20, x=30)
    water, lung = (disc(30, x=-30) == 1), (disc(14, x=30) == 1)

    noise = {}
    for photons in (1e5, 1.6e6):
        seen = Scanner(288, photons, cutoff=1.5).scan(hu, 1.5, np.random.default_rng(1))
        assert seen[water].mean() == pytest.approx(40, abs=4)
        assert seen[lung].mean() == pytest.approx(-800, abs=6)
        noise[photons] = seen[water].std()

    # Sixteen times the photons, a quarter of the noise.
    assert noise[1e5] / noise[1.6e6] == pytest.approx(4, rel=0.15)
