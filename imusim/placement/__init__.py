"""Where sensors sit: named places, files of the user's own, and how they attach to a body.

Sensor axes
-----------
Both sets are fixed to the segment, right-handed, and written for the rest (T) pose: arms out, palms down,
facing forward.

``axes="segment"`` (the default)
    **z** leaves the body: it points away from the bone on the side where the sensor is.
    **x** points along the segment away from the pelvis: out along the arms to the fingers, down the legs, to the
    toes on the foot, up the trunk, neck and head (up, too, on the pelvis and heel).
    **y** = z × x completes it.
    A person who stands still with arms hanging reads −9.81 m/s² on x of the arms and legs, +9.81 m/s² on x of
    the trunk, neck and head.

``axes="device"``
    A phone, watch or earbud with the axes that Android and Core Motion report: **x** right, **y** to the top edge,
    **z** out of the screen. z is as above: the screen faces outward. The top edge points up on the trunk, head and
    pockets, to the shoulder on the upper arm, up the leg on the leg, to the toes on the foot. A watch's 12 o'clock
    is away from the wearer when the forearm lies across the chest, so that on the left wrist x points to the
    hand and on the right wrist to the elbow.
    (A phone carried upside down or screen inward is a `rotation_deg` in a YAML file.)

The sixteen places of ``"fimad"`` sit on the bone, at a joint; their axes are those of the joint itself: x to
the person's left, y up, z forward in the T pose, under both settings.
"""

from imusim.placement.attach import SkinPoint, attach
from imusim.placement.everywhere import attach_vertices
from imusim.placement.files import describe, read_placements, resolve
from imusim.placement.named import BODY17, FIMAD16, group, groups, placement, placements
from imusim.placement.posed import locate

__all__ = [
    "BODY17",
    "FIMAD16",
    "SkinPoint",
    "attach",
    "attach_vertices",
    "describe",
    "group",
    "groups",
    "locate",
    "placement",
    "placements",
    "read_placements",
    "resolve",
]
