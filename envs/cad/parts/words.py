"""How parts are said: templates of sentences, in two registers, for training and held out; `{name}` is a dimension.

A key is a kind, with what it lacks after a dot: a hole without a depth is "hole.through", a pocket without a radius
"pocket.sharp". The same templates are read back by `reading`, so none of them may be the beginning of another.
"""

from collections.abc import Mapping
from typing import Final, Literal

Register = Literal["expert", "layman", "table"]
REGISTERS: Final[tuple[Register, ...]] = ("expert", "layman", "table")
Templates = Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]  # for training, held out

_HEAD: Final = "head diameter {head_diameter}"

EXPERT: Final[Templates] = {
    "box": (
        (
            "Base: rectangular block {length} (x) by {width} (y) by {height} (z)",
            "Start from a block with length {length} along x, width {width} along y and height {height} along z",
        ),
        ("Stock: a cuboid measuring {length} in x, {width} in y, {height} in z",),
    ),
    "cylinder": (
        (
            "Base: cylinder, diameter {diameter}, height {height}, axis along z",
            "Start from a round bar of diameter {diameter} standing {height} high along z",
        ),
        ("Stock: upright cylinder of diameter {diameter}; its height is {height}",),
    ),
    "prism": (
        (
            "Base: regular prism with {sides} sides, {across} across corners (circle through them about the z "
            "axis), height {height}, "
            "axis along z, one corner on the +x axis",
            "Start from a regular polygon of {sides} sides inscribed in a circle of diameter {across} about the "
            "z axis, "
            "one corner on +x, extruded {height} along z",
        ),
        (
            "Stock: equilateral {sides}-gon bar, corner circle {across} about the z axis, first corner pointing "
            "to +x, extruded to a "
            "height of {height}",
        ),
    ),
    "profile.L": (
        (
            "Base: L profile in the xy plane, legs of thickness {thickness} along the low-y and the low-x side, "
            "overall {length} in x by {width} in y, extruded {height} in z",
        ),
        (
            "Stock: angle section {length} (x) by {width} (y) overall, wall {thickness}, one leg on low y and one on "
            "low x, extruded to z = {height}",
        ),
    ),
    "profile.T": (
        (
            "Base: T profile in the xy plane, flange of thickness {thickness} along the high-y side and a centred web "
            "of the same thickness, overall {length} in x by {width} in y, extruded {height} in z",
        ),
        (
            "Stock: tee section {length} (x) by {width} (y) overall, flange on high y, web in the middle, both "
            "{thickness} thick, extruded to z = {height}",
        ),
    ),
    "profile.U": (
        (
            "Base: U profile in the xy plane, walls of thickness {thickness} along the low-x, low-y and high-x sides, "
            "overall {length} in x by {width} in y, extruded {height} in z",
        ),
        (
            "Stock: channel section {length} (x) by {width} (y) overall, web on low y, flanges on low x and high x, "
            "all {thickness} thick, extruded to z = {height}",
        ),
    ),
    "revolve": (
        (
            "Base: turned part about z, lower disc of diameter {diameter} and height {height}, on it an upper disc of "
            "diameter {upper_diameter} and height {upper_height}, through bore of diameter {bore}",
        ),
        (
            "Stock: stepped shaft about z, first step diameter {diameter} by {height}, second step diameter "
            "{upper_diameter} by {upper_height}, bored through at {bore}",
        ),
    ),
    "revolve.solid": (
        (
            "Base: turned part about z without a bore, lower disc of diameter {diameter} and height {height}, on it an "
            "upper disc of diameter {upper_diameter} and height {upper_height}",
        ),
        (
            "Stock: solid stepped shaft about z, first step diameter {diameter} by {height}, second step diameter "
            "{upper_diameter} by {upper_height}",
        ),
    ),
    "loft": (
        (
            "Base: ruled loft from a rectangle {length} (x) by {width} (y) at z = 0 to a centred rectangle "
            "{top_length} (x) by {top_width} (y) at z = {height}",
        ),
        (
            "Stock: frustum of a pyramid, footprint {length} (x) by {width} (y), upper face {top_length} (x) by "
            "{top_width} (y) centred above it, height {height}",
        ),
    ),
    "sweep": (
        (
            "Base: tube of outer diameter {diameter} and bore {bore}, swept from the origin {rise} up along z, through "
            "a 90 degree bend of centre line radius {bend} towards +x, then {run} along x",
        ),
        (
            "Stock: bent pipe, outside diameter {diameter}, inside diameter {bore}, centre line from the origin up z "
            "by {rise}, quarter bend of radius {bend} to +x, straight {run}",
        ),
    ),
    "sweep.solid": (
        (
            "Base: solid rod of diameter {diameter}, swept from the origin {rise} up along z, through a 90 degree bend "
            "of centre line radius {bend} towards +x, then {run} along x",
        ),
        (
            "Stock: bent solid bar, diameter {diameter}, centre line from the origin up z by {rise}, quarter bend of "
            "radius {bend} to +x, straight {run}",
        ),
    ),
    "fillet.vertical": (
        ("Fillet all upright edges of the base with radius {radius}", "Edges parallel to z: fillet R {radius}"),
        ("Break every vertical edge of the stock with a radius of {radius}",),
    ),
    "fillet.top": (
        ("Fillet the edges round the top of the base with radius {radius}", "Top rim: fillet R {radius}"),
        ("Round over the upper perimeter of the stock with a radius of {radius}",),
    ),
    "chamfer.vertical": (
        ("Chamfer all upright edges of the base by {setback} at 45 degrees", "Edges parallel to z: chamfer {setback}"),
        ("Bevel every vertical edge of the stock, equal legs of {setback}",),
    ),
    "chamfer.top": (
        ("Chamfer the edges round the top of the base by {setback} at 45 degrees", "Top rim: chamfer {setback}"),
        ("Bevel the upper perimeter of the stock, equal legs of {setback}",),
    ),
    "shell": (
        ("Shell the base from the open top, wall and floor {wall}", "Hollow it from above, leaving {wall} all round"),
        ("Open the upper face and shell inwards to a thickness of {wall}",),
    ),
    "hole": (
        ("blind hole, diameter {diameter}, depth {depth}", "drill diameter {diameter}, {depth} deep, flat bottom"),
        ("bore of {diameter} diameter sunk {depth}, flat end",),
    ),
    "hole.through": (
        ("through hole, diameter {diameter}", "drill diameter {diameter} through all"),
        ("bore of {diameter} diameter passing clean through",),
    ),
    "counterbore": (
        (f"counterbored blind hole, diameter {{diameter}}, total depth {{depth}}, {_HEAD}, head depth {{head_depth}}",),
        ("stepped blind bore {diameter} to {depth} below the face, upper step {head_diameter} to {head_depth}",),
    ),
    "counterbore.through": (
        (f"counterbored through hole, diameter {{diameter}}, {_HEAD}, head depth {{head_depth}}",),
        ("stepped bore {diameter} passing through, upper step {head_diameter} to {head_depth}",),
    ),
    "countersink": (
        (
            f"countersunk blind hole, diameter {{diameter}}, total depth {{depth}}, {_HEAD}, included angle "
            "{angle} degrees",
        ),
        ("blind bore {diameter} to {depth} below the face, conical mouth {head_diameter} at {angle} degrees",),
    ),
    "countersink.through": (
        (f"countersunk through hole, diameter {{diameter}}, {_HEAD}, included angle {{angle}} degrees",),
        ("bore {diameter} passing through, conical mouth {head_diameter} at {angle} degrees",),
    ),
    "slot": (
        ("blind slot, overall length {length} along {direction}, width {width}, depth {depth}, round ends",),
        ("obround recess {length} overall by {width}, long axis {direction}, sunk {depth}",),
    ),
    "slot.through": (
        ("through slot, overall length {length} along {direction}, width {width}, round ends",),
        ("obround cut-out {length} overall by {width}, long axis {direction}, passing through",),
    ),
    "pocket": (
        ("pocket {length} ({first}) by {width} ({second}), depth {depth}, corner radius {radius}",),
        ("rectangular recess sunk {depth}, {length} in {first} and {width} in {second}, corners R {radius}",),
    ),
    "pocket.sharp": (
        ("pocket {length} ({first}) by {width} ({second}), depth {depth}, sharp corners",),
        ("rectangular recess sunk {depth}, {length} in {first} and {width} in {second}, square corners",),
    ),
    "pocket.through": (
        ("rectangular window {length} ({first}) by {width} ({second}) through all, corner radius {radius}",),
        ("rectangular cut-out passing through, {length} in {first} and {width} in {second}, corners R {radius}",),
    ),
    "pocket.sharp.through": (
        ("rectangular window {length} ({first}) by {width} ({second}) through all, sharp corners",),
        ("rectangular cut-out passing through, {length} in {first} and {width} in {second}, square corners",),
    ),
    "boss": (
        ("round boss, diameter {diameter}, height {height}", "cylindrical boss of diameter {diameter} raised {height}"),
        ("round pad {diameter} in diameter standing proud by {height}",),
    ),
    "rib": (
        ("rib, length {length} along {direction}, thickness {thickness}, height {height}",),
        ("straight web {length} long in {direction}, {thickness} thick, standing proud by {height}",),
    ),
    "line": (
        ("{count} of them in a row along +{direction}, spacing {spacing}, the first at that position",),
        ("repeated along +{direction} from there, {count} in total at a pitch of {spacing}",),
    ),
    "grid": (
        (
            "pattern of {columns} along +{first} at spacing {column_spacing} by {rows} along +{second} at spacing "
            "{row_spacing}, the first at that position",
        ),
        (
            "repeated from there {columns} times in +{first} at a pitch of {column_spacing} and {rows} times in "
            "+{second} at a pitch of {row_spacing}",
        ),
    ),
    "polar": (
        (
            "{count} of them evenly on a circle of diameter {circle} about that position, the first at {start} "
            "degrees from +{first} towards +{second}",
        ),
        (
            "bolt circle of {count}, circle diameter {circle} centred there, starting {start} degrees from +{first} "
            "towards +{second}",
        ),
    ),
    "mirror": (
        ("mirrored across the middle plane of the base's bounding box square to {across}, so that there are two",),
        ("plus its mirror image about the mid-plane of the stock's bounding box normal to {across}",),
    ),
}

LAYMAN: Final[Templates] = {
    "box": (
        (
            "Take a solid block that is {length} from left to right, {width} from front to back and {height} tall",
            "Imagine a brick, {length} wide from left to right, {width} deep from front to back and {height} high",
        ),
        ("You begin with a chunky box: {length} across, {width} deep from front to back, {height} in height",),
    ),
    "cylinder": (
        (
            "Take a round disc or post, {diameter} across and {height} tall, standing upright",
            "Imagine a tin can, {diameter} wide and {height} high, solid all through",
        ),
        ("You begin with a solid drum that is {diameter} across and {height} in height",),
    ),
    "prism": (
        (
            "Take an upright block whose outline is a regular shape with {sides} equal sides, {across} from corner to "
            "corner through a circle round it, {height} tall, with one corner pointing straight to the right and the "
            "origin below the middle of that circle",
        ),
        (
            "You begin with a bar of {sides} equal faces that just fits a round pipe {across} across, {height} in "
            "height, one of its corners pointing right, the origin in the middle of the pipe",
        ),
    ),
    "profile.L": (
        (
            "Take a block shaped like the letter L when you look down on it: one arm runs along the front, the other "
            "along the left, both {thickness} thick, {length} from left to right and {width} from front to back in "
            "all, {height} tall",
        ),
        (
            "You begin with an angle piece seen from above, arms at the front and at the left, {length} across and "
            "{width} deep in all, arms {thickness} thick, {height} in height",
        ),
    ),
    "profile.T": (
        (
            "Take a block shaped like the letter T when you look down on it: the bar runs along the back, the stem "
            "comes forward from its middle, both {thickness} thick, {length} from left to right and {width} from front "
            "to back in all, {height} tall",
        ),
        (
            "You begin with a tee piece seen from above, bar at the back and stem to the front, {length} across and "
            "{width} deep in all, bar and stem {thickness} thick, {height} in height",
        ),
    ),
    "profile.U": (
        (
            "Take a block shaped like the letter U when you look down on it: walls at the left, the front and the "
            "right, open at the back, all {thickness} thick, {length} from left to right and {width} from front to "
            "back in all, {height} tall",
        ),
        (
            "You begin with a trough piece seen from above, open at the back, {length} across and {width} deep in all, "
            "walls {thickness} thick, {height} in height",
        ),
    ),
    "revolve": (
        (
            "Take a round plate {diameter} across and {height} thick, with a smaller round block {upper_diameter} "
            "across and {upper_height} tall in the middle of its upper side, and a hole {bore} wide down through the "
            "centre of both",
        ),
        (
            "You begin with a flanged sleeve: flange {diameter} across and {height} thick, collar {upper_diameter} "
            "across rising another {upper_height}, centre hole {bore} all the way",
        ),
    ),
    "revolve.solid": (
        (
            "Take a round plate {diameter} across and {height} thick, with a smaller round block {upper_diameter} "
            "across and {upper_height} tall in the middle of its upper side",
        ),
        (
            "You begin with a solid knob: flange {diameter} across and {height} thick, collar {upper_diameter} across "
            "rising another {upper_height}",
        ),
    ),
    "loft": (
        (
            "Take a block with sloping sides: at the bottom it is {length} from left to right and {width} from front "
            "to back, at the top only {top_length} by {top_width}, centred, and it is {height} tall",
        ),
        (
            "You begin with a flat-topped pyramid: {length} across and {width} deep at the foot, {top_length} across "
            "and {top_width} deep on top, {height} in height",
        ),
    ),
    "sweep": (
        (
            "Take a bent pipe, {diameter} across outside and {bore} inside: it rises {rise} straight up, turns to the "
            "right in a quarter circle whose middle line has radius {bend}, and goes on {run} to the right",
        ),
        (
            "You begin with a piece of tubing, outside {diameter}, inside {bore}, that goes up {rise}, bends right "
            "with a middle radius of {bend} and continues for {run}",
        ),
    ),
    "sweep.solid": (
        (
            "Take a bent solid rod, {diameter} across: it rises {rise} straight up, turns to the right in a quarter "
            "circle whose middle line has radius {bend}, and goes on {run} to the right",
        ),
        (
            "You begin with a bent solid bar {diameter} across that goes up {rise}, bends right with a middle radius "
            "of {bend} and continues for {run}",
        ),
    ),
    "fillet.vertical": (
        ("Round off all of its upright edges with a radius of {radius}",),
        ("Soften every standing edge with a curve of radius {radius}",),
    ),
    "fillet.top": (
        ("Round off the edges round its top with a radius of {radius}",),
        ("Soften the brim with a curve of radius {radius}",),
    ),
    "chamfer.vertical": (
        ("Cut all of its upright edges off at an angle, {setback} from each side",),
        ("Trim every standing edge slantwise, {setback} on either side",),
    ),
    "chamfer.top": (
        ("Cut the edges round its top off at an angle, {setback} from each side",),
        ("Trim the brim slantwise, {setback} on either side",),
    ),
    "shell": (
        ("Hollow it out from the top like a tray, with walls and a floor {wall} thick",),
        ("Scoop it out from above until the sides and the bottom are {wall} thick",),
    ),
    "hole": (
        ("make a round hole {diameter} wide and {depth} deep", "drill a hole {diameter} across, going {depth} in"),
        ("sink a round pit {diameter} across to a depth of {depth}",),
    ),
    "hole.through": (
        ("make a round hole {diameter} wide that goes all the way through", "drill right through, {diameter} across"),
        ("pierce it with a round opening {diameter} across",),
    ),
    "counterbore": (
        (
            "make a round hole with a wider mouth: {diameter} wide and {depth} deep in all, the mouth {head_diameter} "
            "wide and {head_depth} deep with a flat step",
        ),
        (
            "sink a two-step pit: the mouth {head_diameter} across for the first {head_depth}, then {diameter} across "
            "down to {depth}",
        ),
    ),
    "counterbore.through": (
        (
            "make a round hole with a wider mouth that goes all the way through: {diameter} wide, the mouth "
            "{head_diameter} wide and {head_depth} deep with a flat step",
        ),
        (
            "pierce it in two steps: the mouth {head_diameter} across for the first {head_depth}, then {diameter} "
            "across to the other side",
        ),
    ),
    "countersink": (
        (
            "make a round hole with a funnel-shaped mouth: {diameter} wide and {depth} deep in all, the funnel "
            "{head_diameter} wide at the face and opening at {angle} degrees",
        ),
        (
            "sink a pit for a flat screw: {diameter} across down to {depth}, the cone {head_diameter} across at the "
            "face, {angle} degrees",
        ),
    ),
    "countersink.through": (
        (
            "make a round hole with a funnel-shaped mouth that goes all the way through: {diameter} wide, the funnel "
            "{head_diameter} wide at the face and opening at {angle} degrees",
        ),
        (
            "pierce it for a flat screw: {diameter} across, the cone {head_diameter} across at the face, {angle} "
            "degrees",
        ),
    ),
    "slot": (
        ("cut a groove with round ends, {length} long in all {direction}, {width} wide and {depth} deep",),
        ("mill a long rounded trough {direction}, {length} end to end, {width} wide, to a depth of {depth}",),
    ),
    "slot.through": (
        ("cut a long opening with round ends right through, {length} long in all {direction} and {width} wide",),
        ("pierce it with a long rounded opening {direction}, {length} end to end, {width} wide",),
    ),
    "pocket": (
        (
            "cut a rectangular recess, {length} {first} and {width} {second}, {depth} deep, its corners rounded with "
            "radius {radius}",
        ),
        ("sink a box-shaped hollow {depth} deep, {length} {first}, {width} {second}, corners softened by {radius}",),
    ),
    "pocket.sharp": (
        ("cut a rectangular recess, {length} {first} and {width} {second}, {depth} deep, its corners sharp",),
        ("sink a box-shaped hollow {depth} deep, {length} {first}, {width} {second}, corners left square",),
    ),
    "pocket.through": (
        (
            "cut a rectangular window right through, {length} {first} and {width} {second}, its corners rounded with "
            "radius {radius}",
        ),
        ("pierce it with a box-shaped opening {length} {first}, {width} {second}, corners softened by {radius}",),
    ),
    "pocket.sharp.through": (
        ("cut a rectangular window right through, {length} {first} and {width} {second}, its corners sharp",),
        ("pierce it with a box-shaped opening {length} {first}, {width} {second}, corners left square",),
    ),
    "boss": (
        (
            "add a round knob {diameter} wide that sticks out {height}",
            "put a round stud on it, {diameter} across and {height} tall",
        ),
        ("glue on a little drum {diameter} across that rises {height}",),
    ),
    "rib": (
        ("add a straight wall, {length} long {direction}, {thickness} thick, that sticks out {height}",),
        ("glue on a bar {direction}, {length} long and {thickness} thick, that rises {height}",),
    ),
    "line": (
        ("do this {count} times in a row, each {spacing} further {direction}",),
        ("make {count} of these altogether, moving {spacing} {direction} each time",),
    ),
    "grid": (
        (
            "do this in {columns} columns, each {column_spacing} further {first}, and {rows} rows, each {row_spacing} "
            "further {second}",
        ),
        ("make a field of them, {columns} moving {column_spacing} {first} by {rows} moving {row_spacing} {second}",),
    ),
    "polar": (
        (
            "do this {count} times, evenly round a circle {circle} across with its centre there, the first one "
            "{start} degrees round from {first} towards {second}",
        ),
        (
            "make a ring of {count}, the ring {circle} across about that point, beginning {start} degrees round from "
            "{first} towards {second}",
        ),
    ),
    "mirror": (
        ("do the same on the other half, as a mirror in the middle of the starting block would show it {across}",),
        ("copy it to the far half, mirrored {across} in the middle of the first piece",),
    ),
}
