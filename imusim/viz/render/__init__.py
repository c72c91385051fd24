"""Pictures of bodies from a pinhole camera, drawn off-screen: no window, no display, no graphics card needed.

>>> from imusim.viz.render import Camera, Floor, Renderer, clothed, gradient
>>> camera = Camera.looking_at((320, 320), eye_m=(0, -4, 1.4), target_m=(0, 0, 0.9))    # doctest: +SKIP
>>> with Renderer() as renderer:                                                        # doctest: +SKIP
...     skin = renderer.mesh(body.faces, clothed(body))
...     rgb = renderer.frame(camera, [(skin, vertices_w)], background=gradient((320, 320)), floor=Floor())

A renderer draws thousands of frames of a moving mesh; make one and keep it. Extra: ``pip install "mujo[render]"``.
"""

from imusim.viz.render.background import clutter, gradient
from imusim.viz.render.camera import Camera
from imusim.viz.render.clothes import Outfit, clothed
from imusim.viz.render.renderer import Floor, Light, Mesh, Renderer

__all__ = ["Camera", "Floor", "Light", "Mesh", "Outfit", "Renderer", "clothed", "clutter", "gradient"]
