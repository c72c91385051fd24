"""The programs that run for every vertex and pixel (GLSL 3.30). Positions are in metres, world axes."""

SURFACE_VERTEX = """
#version 330
uniform mat4 clip;
in vec3 position;
in vec3 normal;
in vec3 colour;
out vec3 at, outward, paint;
void main() {
    at = position;
    outward = normal;
    paint = colour;
    gl_Position = clip * vec4(position, 1.0);
}
"""

SURFACE_FRAGMENT = """
#version 330
uniform vec3 eye, light;
uniform float ambient, gloss;
in vec3 at, outward, paint;
out vec4 shade;
void main() {
    vec3 n = normalize(outward);
    vec3 view = normalize(eye - at);
    if (!gl_FrontFacing) n = -n;
    float sky = mix(0.75, 1.0, 0.5 + 0.5 * n.z);            // light from above, less from the floor
    float sun = max(dot(n, light), 0.0);
    float shine = gloss * pow(max(dot(n, normalize(light + view)), 0.0), 24.0);
    shade = vec4(paint * (ambient * sky + (1.0 - ambient) * sun) + shine, 1.0);
}
"""

FLAT_FRAGMENT = """
#version 330
in vec3 at, outward, paint;
out vec4 shade;
void main() { shade = vec4(1.0); }
"""

PICTURE_VERTEX = """
#version 330
out vec2 where;
void main() {
    vec2 corner = vec2((gl_VertexID << 1) & 2, gl_VertexID & 2);  // one triangle over the whole picture
    where = vec2(corner.x, 1.0 - corner.y);
    gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}
"""

PICTURE_FRAGMENT = """
#version 330
uniform sampler2D picture;
in vec2 where;
out vec4 shade;
void main() { shade = vec4(texture(picture, where).rgb, 1.0); }
"""

FLOOR_VERTEX = """
#version 330
uniform mat4 clip;
uniform float height, reach;
uniform vec2 middle;
out vec3 at;
void main() {
    vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 2.0 - 1.0;
    at = vec3(middle + reach * corner, height);
    gl_Position = clip * vec4(at, 1.0);
}
"""

FLOOR_FRAGMENT = """
#version 330
uniform mat4 shadow_clip;
uniform sampler2D shadow;
uniform vec3 light_colour, dark_colour;
uniform vec2 middle;
uniform float tile, reach, darkness;
in vec3 at;
out vec4 shade;
void main() {
    vec2 cell = at.xy / tile;
    vec2 blur = max(fwidth(cell), vec2(1e-4));
    // the checker's box filter: integral of a square wave over the pixel
    vec2 wave = 2.0 * (abs(fract((cell - 0.5 * blur) * 0.5) - 0.5)
                     - abs(fract((cell + 0.5 * blur) * 0.5) - 0.5)) / blur;
    vec3 paint = mix(dark_colour, light_colour, 0.5 + 0.5 * wave.x * wave.y);
    vec3 spot = (shadow_clip * vec4(at, 1.0)).xyz * 0.5 + 0.5;
    float covered = 0.0;
    if (all(lessThan(abs(spot.xy - 0.5), vec2(0.5)))) {
        vec2 step = 1.5 / vec2(textureSize(shadow, 0));
        for (int i = -1; i <= 1; ++i)
            for (int j = -1; j <= 1; ++j)
                covered += texture(shadow, spot.xy + step * vec2(i, j)).r / 9.0;
    }
    float fade = 1.0 - smoothstep(0.35, 1.0, length(at.xy - middle) / reach);
    shade = vec4(paint * (1.0 - darkness * covered), fade);
}
"""
