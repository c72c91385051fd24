"""Moving meshes to RGB frames with OpenGL, off-screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imusim.errors import ConfigError, ShapeError
from imusim.types import Floats, as_floats
from imusim.viz.render import shaders
from imusim.viz.render.camera import Camera
from imusim.viz.render.context import open_context

Rgb = tuple[float, float, float]
_SHADOW_PX = 384


@dataclass(frozen=True)
class Light:
    """One distant lamp and light from all around.

    Parameters
    ----------
    toward : (3,) direction to the lamp, W axes (z up), any length
    ambient : share of the light that comes from all around, 0 … 1
    gloss : strength of highlights, 0 … 1
    """

    toward: tuple[float, float, float] = (0.4, -0.6, 0.9)
    ambient: float = 0.45
    gloss: float = 0.04

    def __post_init__(self) -> None:
        if not (np.isfinite(self.toward).all() and np.linalg.norm(self.toward) > 1e-9):
            raise ConfigError(f"light toward={self.toward} has no direction")
        if not (0 <= self.ambient <= 1 and 0 <= self.gloss <= 1):
            raise ConfigError(f"ambient={self.ambient}, gloss={self.gloss}: wanted 0 to 1")


@dataclass(frozen=True)
class Floor:
    """A checkered floor that fades into the background, with the meshes' shadow on it.

    Parameters
    ----------
    height_m : z of the floor in W
    tile_m : edge of a tile
    light, dark : (3,) red, green, blue of the two kinds of tiles, 0 … 1
    reach_m : where it has faded away, from below the meshes
    shadow : darkness of the shadow, 0 … 1
    """

    height_m: float = 0.0
    tile_m: float = 0.5
    light: Rgb = (0.80, 0.80, 0.80)
    dark: Rgb = (0.62, 0.64, 0.66)
    reach_m: float = 12.0
    shadow: float = 0.55


class Mesh:
    """A mesh of fixed triangles in a renderer's memory; `Renderer.mesh` makes it."""

    def __init__(
        self, context: Any, programs: Sequence[Any], faces: NDArray[np.int64], colours: Floats
    ) -> None:
        from trimesh.geometry import index_sparse

        count = colours.shape[0]
        self._context = context
        self.faces = faces
        self.vertices = count
        self._around: Any = index_sparse(count, faces).astype(np.float32)
        self._position, self._normal = (context.buffer(reserve=max(12, 12 * count)) for _ in range(2))
        self._colour = context.buffer(np.ascontiguousarray(colours, dtype=np.float32))
        index = context.buffer(np.ascontiguousarray(faces, dtype=np.int32))
        self._arrays = [
            context.vertex_array(
                program,
                [(b, "3f", n) for n, b in self._inputs().items() if n in program],
                index,
            )
            for program in programs
        ]

    def _inputs(self) -> dict[str, Any]:
        return {"position": self._position, "normal": self._normal, "colour": self._colour}

    def _place(self, vertices: ArrayLike, normals: bool = True) -> None:
        from trimesh.triangles import cross

        x = np.ascontiguousarray(vertices, dtype=np.float32)
        if x.shape != (self.vertices, 3):
            raise ShapeError(f"vertices have shape {x.shape}, wanted ({self.vertices}, 3)")
        if not np.isfinite(x).all():
            raise ShapeError("vertices are not all finite. Leave frames without a person out of the scene.")
        self._position.write(x)
        if not normals:
            return
        # area-weighted; of any length, since the pixel program normalises
        self._normal.write(np.ascontiguousarray(self._around @ cross(x[self.faces]), dtype=np.float32))

    def _draw(self, which: int) -> None:
        self._arrays[which].render()


class Renderer:
    """Draws meshes off-screen, one frame after another.

    Other Parameters
    ----------------
    samples : multisampling against jagged edges: 0 (none; faster), 2, 4 or 8

    Notes
    -----
    Each renderer has an OpenGL context of its own; several may live in one process. Use one from the thread
    that made it, and make it after a fork. `close` (or ``with``) gives its memory back.

    Raises
    ------
    MissingExtra, MissingSystemPackage
        If moderngl or the system's OpenGL are missing.
    """

    def __init__(self, samples: int = 4) -> None:
        if samples not in (0, 2, 4, 8):
            raise ConfigError(f"samples={samples}, wanted 0, 2, 4 or 8")
        self._context: Any = open_context()
        gl = self._context
        with gl:
            self.device = str(gl.info["GL_RENDERER"])
            self._samples = min(samples, gl.max_samples)
            self._surface = gl.program(shaders.SURFACE_VERTEX, shaders.SURFACE_FRAGMENT)
            self._flat = gl.program(shaders.SURFACE_VERTEX, shaders.FLAT_FRAGMENT)
            self._picture = gl.vertex_array(gl.program(shaders.PICTURE_VERTEX, shaders.PICTURE_FRAGMENT), [])
            self._floor = gl.vertex_array(gl.program(shaders.FLOOR_VERTEX, shaders.FLOOR_FRAGMENT), [])
            self._shadow = gl.texture((_SHADOW_PX, _SHADOW_PX), 1)
            self._shadow.repeat_x = self._shadow.repeat_y = False
            self._shadow_buffer = gl.framebuffer([self._shadow])
        self._size: tuple[int, int] | None = None
        self._background: tuple[NDArray[np.uint8] | None, Any] = (None, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the context and everything in it; the renderer and its meshes cannot be used afterwards."""
        if self._context is not None:
            with self._context:
                self._context.gc()
            self._context.release()
            self._context = None

    def mesh(self, faces: ArrayLike, colours: ArrayLike, vertices: int | None = None) -> Mesh:
        """Put a mesh's triangles and colours into memory; its vertices come with each frame.

        Parameters
        ----------
        faces : (F, 3), counter-clockwise from outside
        colours : (V, 3) red, green, blue of each vertex, 0 … 1, or (3,) for all

        Other Parameters
        ----------------
        vertices : their number V, if `colours` is one colour and not every vertex has a face
        """
        triangles = np.ascontiguousarray(faces, dtype=np.int64)
        if triangles.ndim != 2 or triangles.shape[1] != 3 or triangles.size == 0:
            raise ShapeError(f"faces have shape {triangles.shape}, wanted (any, 3), at least one")
        paint = np.asarray(colours, dtype=np.float64)
        count = len(paint) if paint.ndim == 2 else vertices or int(triangles.max()) + 1
        if triangles.min() < 0 or triangles.max() >= count:
            raise ShapeError(f"faces name vertices outside 0 … {count - 1}")
        with self._gl() as gl:
            return Mesh(gl, (self._surface, self._flat), triangles, colours_of(paint, count))

    def frame(
        self,
        camera: Camera,
        scene: Sequence[tuple[Mesh, ArrayLike]],
        *,
        background: ArrayLike = (0.93, 0.94, 0.95),
        floor: Floor | None = None,
        light: Light = Light(),
    ) -> NDArray[np.uint8]:
        """Draw one frame.

        Parameters
        ----------
        camera : the view
        scene : meshes of this renderer, each with its vertices (V, 3) · m · W axes (z up)

        Other Parameters
        ----------------
        background : one colour (3,), 0 … 1, or a picture (H, W, 3) uint8, stretched to the frame
        floor : None: no floor and no shadow
        light : where the light comes from

        Returns
        -------
        (H, W, 3) uint8, red, green, blue; the first row is the top
        """
        import moderngl

        toward = np.asarray(light.toward) / np.linalg.norm(light.toward)
        clip = camera.clip_matrix()
        with self._gl() as gl:
            for mesh, vertices in scene:
                mesh._place(vertices)
            self._resize(camera.size_px)
            gl.enable_only(moderngl.DEPTH_TEST)
            shade = self._shadow_of(scene, toward) if floor is not None and scene else None
            self._canvas.use()
            self._paint_background(background)
            if floor is not None:
                self._paint_floor(floor, camera, clip, scene, shade)
            _write(self._surface, "clip", clip)
            _set(self._surface, eye=camera.position_m, light=toward, ambient=light.ambient, gloss=light.gloss)
            for mesh, _ in scene:
                mesh._draw(0)
            return self._read(3)

    def mask(self, camera: Camera, scene: Sequence[tuple[Mesh, ArrayLike]]) -> NDArray[np.bool_]:
        """Where the meshes are in the picture, (H, W): True for pixels whose middle lies on one."""
        import moderngl

        with self._gl() as gl:
            for mesh, vertices in scene:
                mesh._place(vertices, normals=False)
            self._resize(camera.size_px)
            gl.enable_only(moderngl.NOTHING)
            self._result.use()
            self._result.clear()
            _write(self._flat, "clip", camera.clip_matrix())
            for mesh, _ in scene:
                mesh._draw(1)
            width, height = camera.size_px
            data = np.frombuffer(self._result.read(components=1, alignment=1), np.uint8)
            return np.ascontiguousarray(data.reshape(height, width)[::-1] > 127)

    @contextmanager
    def _gl(self) -> Iterator[Any]:
        """Make the context current, and free what was dropped since."""
        if self._context is None:
            raise ConfigError("this renderer is closed. Make a new one.")
        with self._context as gl:
            gl.gc()
            yield gl

    def _resize(self, size: tuple[int, int]) -> None:
        if size == self._size:
            return
        gl = self._context
        self._result = gl.framebuffer([gl.renderbuffer(size, 3)], gl.depth_renderbuffer(size))
        self._canvas = self._result
        if self._samples:
            self._canvas = gl.framebuffer(
                [gl.renderbuffer(size, 3, samples=self._samples)],
                gl.depth_renderbuffer(size, samples=self._samples),
            )
        self._size = size

    def _read(self, components: int) -> NDArray[np.uint8]:
        if self._canvas is not self._result:
            self._context.copy_framebuffer(self._result, self._canvas)
        assert self._size is not None
        width, height = self._size
        data = np.frombuffer(self._result.read(components=components, alignment=1), np.uint8)
        return np.ascontiguousarray(data.reshape(height, width, components)[::-1])

    def _paint_background(self, background: ArrayLike) -> None:
        import moderngl

        picture = np.asarray(background)
        if picture.shape == (3,):
            self._canvas.clear(*(float(c) for c in picture))
            return
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
            raise ShapeError(
                f"background is {picture.dtype} of shape {picture.shape}, wanted a colour (3,) or (H, W, 3) uint8"
            )
        self._canvas.clear()
        if picture is not self._background[0]:  # one picture behind many frames goes up once
            height, width = picture.shape[:2]
            texture = self._context.texture((width, height), 3, np.ascontiguousarray(picture), alignment=1)
            texture.repeat_x = texture.repeat_y = False
            self._background = (picture, texture)
        self._context.disable(moderngl.DEPTH_TEST)
        self._background[1].use(0)
        self._picture.render(moderngl.TRIANGLES, vertices=3)
        self._context.enable(moderngl.DEPTH_TEST)

    def _shadow_of(self, scene: Sequence[tuple[Mesh, ArrayLike]], toward: Floats) -> NDArray[np.float32]:
        """Draw the meshes as the lamp sees them into the shadow texture; its clip matrix (4, 4)."""
        import moderngl

        corners = [np.asarray(v) for _, v in scene]
        low, high = (np.array([f(v, axis=0) for v in corners]) for f in (np.min, np.max))
        middle = (low.min(axis=0) + high.max(axis=0)) / 2
        radius = float(np.linalg.norm(high.max(axis=0) - low.min(axis=0))) / 2 * 1.05 + 1e-3
        across = np.cross(toward, np.eye(3)[int(np.argmin(np.abs(toward)))])
        across /= np.linalg.norm(across)
        view = np.stack([across, np.cross(toward, across), -toward]) / radius
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = view, -view @ middle
        matrix[2] = 0.0  # no depth: all of it counts
        self._shadow_buffer.use()
        self._shadow_buffer.clear()
        self._context.disable(moderngl.DEPTH_TEST)
        _write(self._flat, "clip", matrix.astype(np.float32))
        for mesh, _ in scene:
            mesh._draw(1)
        self._context.enable(moderngl.DEPTH_TEST)
        return matrix.astype(np.float32)

    def _paint_floor(
        self,
        floor: Floor,
        camera: Camera,
        clip: NDArray[np.float32],
        scene: Sequence[tuple[Mesh, ArrayLike]],
        shade: NDArray[np.float32] | None,
    ) -> None:
        import moderngl

        program = self._floor.program
        middle = (
            np.mean([np.asarray(v)[:, :2].mean(axis=0) for _, v in scene], axis=0)
            if scene
            else camera.position_m[:2]
        )
        _write(program, "clip", clip)
        _write(program, "shadow_clip", np.eye(4, dtype=np.float32) if shade is None else shade)
        self._shadow.use(0)
        _set(
            program,
            height=floor.height_m,
            reach=floor.reach_m,
            middle=middle,
            tile=floor.tile_m,
            light_colour=floor.light,
            dark_colour=floor.dark,
            darkness=0.0 if shade is None else floor.shadow,
        )
        self._context.enable(moderngl.BLEND)
        self._floor.render(moderngl.TRIANGLE_STRIP, vertices=4)
        self._context.disable(moderngl.BLEND)


def colours_of(colours: ArrayLike, count: int) -> Floats:
    """Colours (V, 3) from (V, 3) or (3,)."""
    paint = np.asarray(colours, dtype=np.float64)
    paint = np.broadcast_to(paint, (count, 3)) if paint.ndim == 1 and paint.shape == (3,) else paint
    return as_floats(paint, "colours", (count, 3))


def _write(program: Any, name: str, matrix: NDArray[np.float32]) -> None:
    program[name].write(np.ascontiguousarray(matrix.T, dtype=np.float32))  # OpenGL wants columns first


def _set(program: Any, **values: Any) -> None:
    for name, value in values.items():
        program[name].value = tuple(float(v) for v in value) if np.ndim(value) else float(value)
