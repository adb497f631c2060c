"""Things of paper, ink and graphite."""

from .pen import (Tone, box, clipped, disc, group, line, oval, path, rect, shadow, solid,
                  specks, turned)

INK, PAPER = "2c3245", "fbf4e4"


def notebook(t):
    cover = box(122, 82, 158, 236, 10)
    return turned(-8, rect(132, 94, 160, 236, "1d2238", 10, ".15"),
                  path("M168 310h12v40l-6-7-6 7z", t.a),
                  rect(128, 88, 160, 236, "e9dcc2", 8), line("M284 96V316", "b9ad97", 2),
                  solid(cover, t, 400, rect(122, 82, 30, 236, t.d)),
                  line("M152 84V316", t.D, 2, ".5"),
                  rect(178, 118, 76, 52, PAPER, 4), line("M190 136h52M190 150h34", t.D, 3),
                  line("M180 276q12-12 24 0t24 0 24 0M192 290q12-12 24 0t24 0", t.l, 3),
                  line("M266 84V316", t.D, 6))


def planner(t):
    cover = box(118, 92, 170, 220, 10)
    rings = "".join(f"M108 {y}h26" for y in range(112, 300, 22))
    return turned(7, rect(126, 104, 172, 220, "1d2238", 10, ".15"),
                  *(rect(282, y, 16, 34, c, 3) for y, c in ((112, "dba23a"), (152, "cb4a35"),
                                                           (192, "9fcdc3"), (232, "8d6fa3"))),
                  rect(122, 96, 168, 218, PAPER, 8), solid(cover, t, 272),
                  disc(203, 190, 44, t.l), path("M203 146a44 44 0 0 1 0 88 34 44 0 0 0 0-88z", t.a),
                  line("M203 132v-12M203 260v-12M145 190h-12M273 190h-12M162 149l-8-8M252 239l-8-8"
                       "M162 231l-8 8M252 141l-8 8", t.a, 4),
                  line("M172 280h62", t.L, 4), line(rings, "8f8a80", 5))


def booklets(t):
    def one(degrees, tone, mark):
        return turned(degrees, rect(140, 98, 134, 206, "1d2238", 6, ".14"),
                      rect(134, 92, 134, 206, tone.b, 6), rect(134, 92, 12, 206, tone.d, 6),
                      line("M140 116v18M140 186v18M140 256v18", PAPER, 2),
                      rect(168, 120, 76, 30, PAPER, 3), mark)
    waves = line("M164 250q10-10 20 0t20 0 20 0 20 0M164 264q10-10 20 0t20 0 20 0 20 0", PAPER, 3)
    return (one(-20, Tone("3f6b57"), "") + one(-3, Tone("dba23a"), "")
            + one(14, Tone("b8562f"), waves + line("M180 135h52", INK, 3)))


def pen(t):
    gold = "d8aa4c"
    return turned(-38, rect(56, 222, 256, 10, "1d2238", 5, ".13"),
                   path("M312 190l44 12a4 4 0 0 1 0 4l-44 12z", gold),
                   line("M330 204h26", "8a6a2c", 2), disc(328, 204, 3, "8a6a2c"),
                   path("M286 188h22l8 4v24l-8 4h-22z", "2c3245"),
                   path("M92 184H290v40H92q-38-4-38-20t38-20z", t.b),
                   path("M54 204H290v20H92q-38-4-38-20z", t.d),
                   rect(100, 191, 172, 6, t.L, 3, ".7"),
                   rect(282, 184, 8, 40, gold), rect(180, 184, 5, 40, gold))


def ink(t):
    glass = "M128 190q0-20 20-22l22-6h60l22 6q20 2 20 22v110q0 20-20 20H148q-20 0-20-20z"
    return (shadow(rx=96) + path("M258 322q30-26 66-8t22 22-50 10-62-6z", t.b)
            + oval(312, 326, 16, 4, t.L, ".6") + clipped(
                glass, rect(0, 0, 400, 400, "dfe9e6"),
                                                         path("M120 206q40-10 80 0t80 0V330H120z",
                                                             t.b),
                rect(236, 0, 60, 400, "1d2238", opacity=".14"),
                rect(138, 182, 10, 110, "ffffff", 5, ".45"))
            + rect(168, 138, 64, 26, "cfdcd8") + rect(158, 92, 84, 52, INK, 8)
            + rect(158, 92, 24, 52, "454d66", 8) + rect(158, 138, 84, 8, "d8aa4c", 3)
            + rect(158, 216, 84, 76, PAPER, 4) + path("M200 226q24 30 0 46-24-16 0-46z", t.b)
            + line("M176 282h48", t.D, 3))


def pencils(t):
    colours = ("2c3245", "55626e", "b8562f", "dba23a", "3f6b57", "2f5f86")
    sticks = ""
    for i, colour in enumerate(colours):
        x, y = 112 + 30 * i, 84 + (0, 16, 6, 26, 10, 20)[i]
        tone = Tone(colour)
        sticks += (path(f"M{x} {y + 34}l13-34 13 34z", "ecd3a8")
                   + path(f"M{x + 9} {y + 11}l4-11 4 11z", colour)
                   + rect(x, y + 34, 26, 140, tone.b) + rect(x, y + 34, 8, 140, tone.l)
                   + rect(x + 18, y + 34, 8, 140, tone.d))
    return turned(9, rect(102, 196, 200, 150, "1d2238", 10, ".14"), sticks,
                  rect(96, 190, 208, 148, "d9c7a3", 10), rect(96, 190, 208, 12, "c4ae84", 6),
                  rect(140, 226, 120, 72, PAPER, 5), line("M160 252h80M174 272h52", INK, 4))


def tape(t):
    dots = [(x, y) for y in (216, 250, 284) for x in range(88, 330, 34)]
    strip = "M200 262q-80 10-148 62l24 34q60-52 140-52z"
    return (shadow(205, 318, 110, 12) + path(strip, t.b)
            + line("M80 334l10 14M112 312l10 16M146 294l8 18M180 282l6 20", t.L, 5)
            + solid("M96 170v62a104 74 0 0 0 208 0v-62z", t, 262, specks(dots, t.L, 6),
                    specks([(x + 17, y + 17) for x, y in dots], t.a, 4))
            + oval(200, 170, 104, 74, t.l) + oval(200, 170, 92, 64, t.b)
            + oval(200, 170, 70, 48, "d6bd92") + oval(200, 178, 62, 40, t.D))


def letters(t):
    return turned(-6, rect(94, 140, 224, 160, "1d2238", 8, ".14"),
                  rect(104, 66, 192, 160, "fffdf6", 4), rect(104, 66, 192, 6, "d9c7a3", 3),
                  line("M126 88h84M126 106h148", "a3967f", 4),
                  rect(86, 130, 228, 160, t.d, 8),
                  path("M86 140l106 78q8 6 16 0l106-78v142q0 8-8 8H94q-8 0-8-8z", t.b),
                  path("M88 288l92-82q20-14 40 0l92 82z", t.l),
                  disc(200, 214, 25, "b5382c"), disc(200, 214, 17, "cb4a35"),
                  line("M190 217q5-7 10 0t10 0M200 206v-2", "f3e6cb", 3))


def deskmat(t):
    return turned(-5, path("M58 132H322v168H58z", "1d2238", ".14"),
                  path("M50 122H318q24 0 24 20v124q0 22-24 22H50z", t.b),
                  line("M62 134H312M62 276H312", t.L, 2.5, ".8"),
                  rect(36, 114, 38, 184, t.d, 18), rect(36, 114, 14, 184, t.b, 7),
                  line("M60 122q10 6 10 18v132", t.D, 3), rect(28, 190, 56, 16, "7d5138", 4),
                  disc(56, 198, 4, "d8aa4c"),
                  rect(122, 162, 104, 90, PAPER, 3), line("M138 184h72M138 204h72M138 224h44",
                                                          "b9ad97", 4),
                  group("rotate(18 270 210)", rect(262, 154, 12, 96, "dba23a", 2),
                        path("M262 250l6 18 6-18z", "ecd3a8"), rect(262, 146, 12, 12, "d3917f", 3)))


def framed(*art):
    return (rect(104, 64, 204, 268, "1d2238", 3, ".16") + rect(96, 54, 208, 272, "c39b62", 3)
            + rect(96, 54, 208, 7, "ddbf92") + rect(106, 64, 188, 252, "fbf6ea")
            + clipped(box(122, 80, 156, 190), *art) + line("M150 288h100M174 302h52", INK, 4))


def map_poster(t):
    isle = "M160 128q34-30 60-4t34 44-12 66-54 22-46-38 18-90z"
    return framed(rect(0, 0, 400, 400, "a8cdd0"),
                  line("M122 110q10-8 20 0t20 0M230 96q10-8 20 0t20 0M128 252q10-8 20 0t20 0",
                       "fbf4e4", 3),
                  path(isle, "fbf4e4"), group("translate(20 19) scale(.9)", path(isle, "b7bf86")),
                  group("translate(58 56) scale(.71)", path(isle, "8f9d5f")),
                  path("M192 186l16-26 16 26zM176 198l11-18 11 18z", "55626e"),
                  path("M204 167l4-7 4 7-4 4z", "fbf4e4"),
                  line("M184 240q20-20 8-34t30-14 14-22", "cb4a35", 3),
                  rect(176, 232, 10, 18, "cb4a35"), path("M173 232l8-9 8 9z", INK),
                  disc(254, 238, 14, "fbf4e4"), path("M254 226l4 12-4 12-4-12z", "cb4a35"))


def ferry_poster(t):
    stars = [(140, 96), (168, 118), (236, 94), (262, 120), (150, 140), (214, 124), (250, 150)]
    return framed(rect(0, 0, 400, 400, "26354f"), specks(stars, "f3e6cb", 1.5),
                  disc(200, 150, 30, "f0d690"),
                  path("M122 214l40-34 30 26 28-18 60 36v40H122z", "35506b"),
                  path("M122 228h160v50H122z", "1c4157"),
                  line("M184 238h32M176 250h48M188 262h24", "f0d690", 4),
                  path("M148 216h104l-12 20h-80z", "cb4a35"), rect(164, 200, 72, 16, "fbf4e4"),
                  rect(176, 188, 40, 12, "fbf4e4"), rect(202, 172, 12, 18, "dba23a"),
                  line("M172 208h.1M184 208h.1M196 208h.1M208 208h.1M220 208h.1", "dba23a", 6),
                  line("M208 166q-12-10 2-18t-4-16", "8fa5b5", 5, ".7"))


def bird_poster(t):
    def bird(x, y, back, belly, beak):
        return group(f"translate({x} {y})",
                     path("M0 26Q4 0 28 2q14 2 16 16l10 4-10 4q-4 22-26 22L-12 56z", back),
                     path("M10 34q16 12 32-8-2 22-24 22-8-4-8-14z", belly),
                     path("M44 16l14 6-14 4z", beak), disc(34, 14, 2.5, INK),
                     line("M18 48v14M26 48v14", INK, 2))
    return framed(rect(0, 0, 400, 400, "efe0c4"), disc(236, 128, 34, "e6a45c"),
                  line("M122 172H282M122 256H282", "7d5138", 5),
                  path("M262 172q4-22 20-24 0 22-20 24zM130 256q-2-20 16-26 4 20-16 26z", "7d8b4c"),
                  bird(140, 110, "2f5f86", "f3e6cb", "dba23a"),
                  bird(214, 110, "b8562f", "f3e6cb", INK),
                  bird(176, 194, "3a3c40", "f3e6cb", "cb4a35"),
                  disc(140, 196, 5, "cb4a35"), disc(262, 214, 5, "cb4a35"))


DRAWINGS = {
    "notebook": (notebook, "desk"), "planner": (planner, "desk"), "booklets": (booklets, "desk"),
    "pen": (pen, "slant"), "ink": (ink, "table"), "pencils": (pencils, "desk"),
    "tape": (tape, "table"), "letters": (letters, "desk"), "deskmat": (deskmat, "desk"),
    "map_poster": (map_poster, "wall"), "ferry_poster": (ferry_poster, "wall"),
    "bird_poster": (bird_poster, "wall"),
}
