"""Where a thing is shown: on a desk from above, on a table, on a hill, before a wall."""

from .pen import disc, group, mix, path, rect

# Department -> a pale and a deep background; light goods are shown before the deep one.
GROUNDS = {
    "Stationery": ("f2e7d3", "c9b594"), "Ceramics": ("ecdccb", "b98e78"),
    "Kitchen": ("e1e8d8", "93a98d"), "Outdoor": ("d7e6e8", "86abb5"),
    "Clothing": ("e6dfe8", "a597b3"), "Home": ("f3e3c2", "c3a577"),
}


def scene(name, department, deep):
    pale, dark = GROUNDS[department]
    back = dark if deep else pale
    glow = mix(back, "fffaf0", 30 if deep else 55)
    floor = mix(back, dark if not deep else "2b2a38", 42 if not deep else 22)
    return rect(0, 0, 400, 400, back) + SCENES[name](back, glow, floor)


def desk(back, glow, floor):
    return (path("M0 270C90 210 160 330 260 290S360 180 400 200V400H0z", floor, ".45")
            + disc(205, 195, 158, glow))


def table(back, glow, floor):
    return (path("M70 304V200a130 130 0 0 1 260 0V304z", glow) + rect(0, 300, 400, 100, floor)
            + rect(0, 300, 400, 5, mix(floor, "fffaf0", 35)))


def hill(back, glow, floor):
    far = mix(back, floor, 55)
    near = mix(floor, "5f7f5c", 50)
    return (disc(326, 92, 42, glow)
            + path("M0 262L84 168l52 58 66-92 92 116 40-34 66 60V400H0z", far)
            + path("M84 168l22 25-20-6-24 16zM202 134l26 33-24-9-25 14z", glow)
            + path("M0 292Q110 250 220 284T400 276V400H0z", mix(near, glow, 25))
            + path("M0 318Q200 290 400 312V400H0z", near))


def wall(back, glow, floor):
    return disc(200, 200, 160, glow) + rect(0, 356, 400, 44, floor)


SCENES = {"desk": desk, "slant": desk, "table": table, "hill": hill, "wall": wall}

# Where the members of a family are: x, y and size, from the back to the front. What lies on a desk
# grows from its middle, long things on a slant lie side by side, the rest stands on its foot.
STANDING = {2: ((-66, -12, .74), (68, 10, .8)), 3: ((-98, -16, .62), (98, -16, .62), (0, 18, .82))}
LYING = {2: ((-62, -18, .78), (62, 22, .78)), 3: ((-84, -40, .66), (88, -26, .66), (0, 38, .74))}
SLANTED = {2: ((-38, -46, .86), (38, 46, .86)), 3: ((-58, -66, .82), (0, 0, .82), (58, 66, .82))}


def arranged(things, place):
    """One drawing as it is, or up to three as a family with the first in front."""
    if len(things) == 1:
        return things[0]
    spots = {"desk": LYING, "slant": SLANTED}.get(place, STANDING)[len(things)]
    foot = 200 if place in ("desk", "slant") else 320
    return "".join(
        group(f"translate({200 + x} {foot + y}) scale({size}) translate(-200 -{foot})", thing)
        for thing, (x, y, size) in zip(things[::-1], spots))
