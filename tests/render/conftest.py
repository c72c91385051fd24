"""A renderer for the tests of this folder; where the system has no OpenGL at all they are skipped, and say so."""

import pytest

from imusim.errors import MissingSystemPackage


@pytest.fixture(scope="session")
def opengl():
    from imusim.viz.render import Renderer

    try:
        Renderer(samples=0).close()
    except MissingSystemPackage as error:
        pytest.skip(str(error))


@pytest.fixture
def renderer(opengl):
    from imusim.viz.render import Renderer

    with Renderer(samples=0) as one:
        yield one
