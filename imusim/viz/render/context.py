"""An OpenGL context without a window: the graphics card's if there is one, else Mesa's software renderer."""

from __future__ import annotations

import sys
from typing import Any

from imusim.errors import MissingExtra, MissingSystemPackage


def open_context() -> Any:
    """Return a `moderngl.Context` of its own for off-screen drawing.

    Raises
    ------
    MissingExtra
        If moderngl is not installed.
    MissingSystemPackage
        If the system has no OpenGL 3.3 that works without a window.
    """
    try:
        import moderngl
    except ImportError:
        raise MissingExtra("render", "drawing bodies") from None
    # named with their versions: without, they are part of development packages only
    settings: dict[str, Any] = {"backend": "egl", "libgl": "libGL.so.1", "libegl": "libEGL.so.1"}
    try:
        context = moderngl.create_context(
            require=330, standalone=True, **(settings if sys.platform == "linux" else {})
        )
    except Exception as error:  # whatever the loader and the driver come up with
        raise MissingSystemPackage(
            f"no OpenGL 3.3 without a window on this machine ({error}). On Debian and Ubuntu: "
            "apt-get install libegl1 libgl1 libgl1-mesa-dri"
        ) from None
    context.gc_mode = "context_gc"  # freed only while the context is current: see Renderer
    return context
