"""Sites on a posed body, without derivatives: for pictures and checks."""

from __future__ import annotations

import numpy as np

from imusim.body import Posed
from imusim.kinematics import Sites
from imusim.rotation import to_matrix
from imusim.types import Floats


def locate(sites: Sites, posed: Posed) -> tuple[Floats, Floats]:
    """Return where the sites are, (T, S, 3) · m, and their axes as columns, (T, S, 3, 3), in the axes of `posed`.

    ``x = Σ_j (R_j offsets_j + weights_j p_j) + R̄ lift``, axes ``R̄ R(rotation)``, where R̄ is the polar factor of
    ``Σ_j weights_j R_j``, here from a singular value decomposition.
    """
    blend = np.einsum("sj,tjab->tsab", sites.weights, posed.rotation)
    u, _, vt = np.linalg.svd(blend)
    u[..., -1] *= np.sign(np.linalg.det(u @ vt))[..., None]
    nearest = u @ vt
    x = np.einsum("tjab,sjb->tsa", posed.rotation, sites.offsets_m, optimize=True)
    x += np.einsum("sj,tja->tsa", sites.weights, posed.joints)
    x += np.einsum("tsab,sb->tsa", nearest, sites.lift_m)
    return x, nearest @ to_matrix(sites.rotation_wxyz)
