"""The magnetic field around a body: Earth's, and magnets or steel nearby."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from imusim.errors import ConfigError
from imusim.types import Floats

_EQUATOR_UT = 30.1
"""Field of Earth's dipole at its equator, µT (†second-hand). A dipole is within 20 % of the real field in most places."""


@dataclass(frozen=True)
class Dipole:
    """A magnet, or steel that acts as one.

    Parameters
    ----------
    position_m : (3,) · m · world
    moment_a_m2 : (3,) · A m² · world
    """

    position_m: tuple[float, float, float]
    moment_a_m2: tuple[float, float, float]


@dataclass(frozen=True)
class MagneticField:
    """Earth's field, the same everywhere, plus local dipoles.

    Parameters
    ----------
    earth_ut : (3,) · µT · world axes (z up)
    dipoles : local disturbances

    Raises
    ------
    ConfigError
        If a number is not finite.
    """

    earth_ut: tuple[float, float, float] = (0.0, 0.0, 0.0)
    dipoles: tuple[Dipole, ...] = ()

    def __post_init__(self) -> None:
        numbers = [*self.earth_ut, *(x for d in self.dipoles for x in (*d.position_m, *d.moment_a_m2))]
        if len(self.earth_ut) != 3 or not np.isfinite(numbers).all():
            raise ConfigError(f"earth_ut={self.earth_ut!r} or a dipole: wanted finite numbers, three each")

    @classmethod
    def at_latitude(
        cls, latitude_deg: float, north_deg: float = 0.0, dipoles: tuple[Dipole, ...] = ()
    ) -> MagneticField:
        """Return the field of a centred dipole at a (geomagnetic) latitude.

        Horizontal ``B₀ cos λ`` to magnetic north, down ``2 B₀ sin λ``, B₀ = 30 µT. For real places take the World Magnetic
        Model's numbers and `from_wmm`.

        Parameters
        ----------
        latitude_deg : λ, −90 … 90
        north_deg : heading of magnetic north in the world frame: angle from world x towards world y · degrees
        dipoles : local disturbances
        """
        if not -90.0 <= latitude_deg <= 90.0:
            raise ConfigError(f"latitude_deg={latitude_deg!r}: wanted −90 … 90")
        angle = math.radians(latitude_deg)
        return cls.from_wmm(
            _EQUATOR_UT * math.cos(angle), 0.0, 2 * _EQUATOR_UT * math.sin(angle), north_deg, dipoles
        )

    @classmethod
    def from_wmm(
        cls,
        north_ut: float,
        east_ut: float,
        down_ut: float,
        north_deg: float = 0.0,
        dipoles: tuple[Dipole, ...] = (),
    ) -> MagneticField:
        """Return the field of the World Magnetic Model's components X (north), Y (east), Z (down), µT.

        Parameters
        ----------
        north_ut, east_ut, down_ut : X, Y, Z · µT
        north_deg : heading of (geographic) north in the world frame: angle from world x towards world y · degrees
        dipoles : local disturbances
        """
        a = math.radians(north_deg)
        c, s = math.cos(a), math.sin(a)  # north is (c, s), east is (s, −c) in a frame with z up
        return cls((c * north_ut + s * east_ut, s * north_ut - c * east_ut, -down_ut), dipoles)

    def at(self, position_m: ArrayLike) -> Floats:
        """Field at points (…, 3) · m · world, in world axes · µT.

        A dipole's is ``B = µ₀/4π (3 r (m·r)/r⁵ − m/r³)``; nearer than 1 cm it is taken at 1 cm.
        """
        x = np.asarray(position_m, dtype=np.float64)
        field = np.broadcast_to(np.asarray(self.earth_ut, dtype=np.float64), x.shape).copy()
        for dipole in self.dipoles:
            r = x - np.asarray(dipole.position_m)
            m = np.asarray(dipole.moment_a_m2)
            d = np.maximum(np.linalg.norm(r, axis=-1, keepdims=True), 0.01)
            field += 0.1 * (3.0 * r * (r @ m)[..., None] / d**5 - m / d**3)  # µ₀/4π = 1e-7 T m/A = 0.1 µT m/A
        return field
