"""Things for the hill and the shore."""

from .pen import (box, clipped, disc, group, line, oval, path, rect, shadow, solid, specks, turned)

STRAP, STEEL, INK, CREAM, SKY = "7d5138", "c3ccd0", "2c3245", "fbf4e4", "d7e6e8"


def tent(t):
    return (shadow(200, 320, 170, 12) + line("M196 128L40 322M204 128l156 194", "f3e6cb", 3)
            + path("M196 116L318 292 344 318H150z", t.d) + path("M196 116L64 318H284z", t.b)
            + path("M196 116L132 318h92z", t.D) + path("M196 116L132 318h-20z", t.l)
            + path("M196 116l28 202h22z", t.l) + path("M148 318l30-54q16 20 20 54z", "f0c868")
            + line("M262 240l22 52M286 250l22 46", t.D, 3, ".5") + disc(196, 116, 5, "d8aa4c")
            + line("M196 116V92", "7d5138", 5) + path("M198 92l34 9-34 11z", t.a)
            + line("M40 322v-10M360 322v-10", "7d5138", 5))


def backpack(t):
    body = "M122 130q0-58 78-58t78 58V296q0 24-24 24H146q-24 0-24-24z"
    return (shadow(rx=108) + line("M172 78q0-34 28-34t28 34", t.D, 9)
            + path("M98 196q0-14 14-14h176q14 0 14 14v86q0 14-14 14H112q-14 0-14-14z", t.d)
            + rect(98, 64, 204, 30, "dba23a", 15) + oval(108, 79, 12, 15, "b9822a")
            + disc(108, 79, 4, "8a5d1c")
            + solid(body, t, 244, path("M122 150q78 34 156 0v14q-78 34-156 0z", t.D))
            + rect(144, 216, 112, 84, t.l, 14) + rect(144, 216, 112, 26, t.d, 12)
            + rect(154, 130, 13, 112, STRAP, 3) + rect(233, 130, 13, 112, STRAP, 3)
            + rect(150, 184, 21, 17, "d8aa4c", 3) + rect(229, 184, 21, 17, "d8aa4c", 3)
            + disc(200, 118, 19, CREAM) + path("M187 126l13-18 13 18z", t.b)
            + line("M178 270h44", t.b, 4))


def daysack(t):
    body = "M130 150H270l12 146q2 24-22 24H140q-24 0-22-24z"
    return (shadow(rx=96) + line("M120 170Q88 220 112 300M280 170q32 50 8 130", STRAP, 10)
            + solid(body, t, 240, rect(100, 270, 200, 60, t.D))
            + path("M130 152l-4-62h148l-4 62z", t.l) + rect(118, 84, 164, 24, t.d, 12)
            + oval(128, 96, 6, 8, t.D) + oval(272, 96, 6, 8, t.D)
            + rect(192, 76, 16, 130, STRAP, 3) + rect(186, 176, 28, 20, "d8aa4c", 4)
            + rect(193, 182, 14, 8, STRAP)
            + path("M146 224h108l-8 38H154z", t.d) + line("M152 234h96", t.L, 3)
            + line("M280 130q26 6 14 30", "dba23a", 6))


def sleepingbag(t):
    quilt = "".join(f"M104 {y}q96 26 192 0" for y in range(128, 330, 32))
    body = "M118 118q0-66 82-66t82 66l6 110q0 60-38 98-50 16-100 0-38-38-38-98z"
    return turned(14, group("translate(10 10)", path(body, "1d2238", ".14")),
                  solid(body, t, 246, line(quilt, t.d, 5),
                        line("M266 110q16 130-24 226", "d8aa4c", 5)),
                  oval(200, 106, 58, 44, t.a), oval(200, 112, 46, 34, t.D),
                  path("M160 120q40-26 80 0-8 24-40 24t-40-24z", CREAM),
                  disc(242, 138, 6, "d8aa4c"))


def campmug(t):
    body = box(122, 158, 142, 162, 14)
    return (shadow(rx=92) + line("M264 190h18q24 0 24 34t-24 34h-18", t.d, 14)
            + solid(body, t, 228, path("M146 286l32-44 18 22 14-18 30 40z", t.a),
                    disc(222, 226, 9, t.a),
                    specks(((140, 180), (150, 252), (252, 268), (170, 196), (240, 190), (138, 304)),
                           t.L, 2),
                    rect(134, 172, 9, 60, t.L, 5))
            + oval(193, 160, 73, 15, INK) + oval(193, 159, 70, 12.5, t.L)
            + oval(193, 162, 62, 9, "5a3826")
            + line("M172 132q-12-14 0-28t0-28M206 134q-12-14 0-28t0-28", "ffffff", 6, ".7"))


def flask(t):
    body = "M148 148q0-18 14-24v-8h76v8q14 6 14 24V300q0 20-20 20H168q-20 0-20-20z"
    return (shadow(rx=72) + solid(body, t, 222,
                                  path("M148 250l34-44 22 26 18-20 32 38v14H148z", t.L, ".55"),
                                  rect(160, 150, 9, 120, t.L, 5), rect(140, 304, 120, 20, t.D))
            + rect(160, 112, 80, 12, STEEL, 3) + rect(156, 62, 88, 52, t.D, 10)
            + rect(166, 70, 9, 36, t.l, 4)
            + line("M244 78q34-4 34 24t-28 28", STRAP, 8) + disc(200, 184, 13, t.a)
            + path("M192 189l8-11 8 11z", t.b))


def headtorch(t):
    return (path("M226 190L400 104V330L226 250z", "ffe9a8", ".6")
            + line("M70 170C90 96 300 88 316 158", "2b4054", 24)
            + line("M72 166C96 98 296 92 314 154", "cb4a35", 4)
            + line("M70 170C62 236 116 250 160 246M316 158C318 190 296 214 250 234", "1d2d3e", 24)
            + group("translate(0 10) rotate(6 200 210)", rect(138, 152, 106, 108, "2c3245", 24),
                    rect(138, 152, 40, 108, "454d66", 20), disc(206, 202, 40, "8f9ba0"),
                    disc(206, 202, 33, "fff3cf"), disc(206, 202, 20, "f6cf6a"),
                    disc(206, 202, 9, "fffaf0"), rect(156, 142, 30, 13, "cb4a35", 5),
                    rect(152, 236, 22, 8, "cb4a35", 4)))


def lantern(t):
    glass = "M150 178q-22 50 0 96h100q22-46 0-96z"
    return (shadow(rx=86) + line("M138 292Q84 200 150 136M262 292q54-92-12-156", t.d, 8)
            + line("M146 112Q150 44 200 44t54 68", "3a3c40", 6)
            + clipped(glass, rect(0, 0, 400, 400, "fff0c2"), disc(200, 236, 46, "fbd67e"),
                      path("M200 186q36 46 14 72h-28q-22-26 14-72z", "e8803a"),
                      path("M200 214q18 26 6 44h-12q-12-18 6-44z", "fff3cf"),
                      rect(158, 176, 8, 100, "ffffff", 4, ".6"))
            + line("M150 178q-22 50 0 96M250 178q22 50 0 96M142 226h116", t.D, 4)
            + path("M142 180l12-30h92l12 30z", t.b) + path("M214 150h32l12 30h-34z", t.d)
            + path("M164 150l10-32h52l10 32z", t.l) + rect(182, 104, 36, 14, t.d, 4)
            + solid("M134 272H266l14 36q2 14-12 14H132q-14 0-12-14z", t, 232,
                    rect(120, 284, 170, 6, t.L))
            + disc(262, 300, 9, "d8aa4c"))


def pocketknife(t):
    return turned(-24, group("translate(6 16)", rect(92, 214, 212, 46, "1d2238", 22, ".13")),
                  path("M110 214q-46-44-40-132 50 22 68 132z", "dbe2e5"),
                  path("M110 214q-40-40-40-132 24 60 50 132z", "aab5ba"),
                  line("M82 112q20 30 34 84", "ffffff", 3, ".7"),
                  path("M292 214l34-46q12 2 12 12l-14 40z", STEEL),
                  rect(88, 204, 220, 50, STEEL, 25), rect(94, 206, 208, 48, t.b, 24),
                  path("M94 230h208q0 24-24 24H118q-24 0-24-24z", t.d), disc(116, 230, 9, "d8aa4c"),
                  disc(282, 230, 8, "d8aa4c"),
                  line("M156 218h88M150 236h100", t.D, 2.5, ".6"),
                  rect(182, 216, 34, 28, "d8aa4c", 14),
                  path("M191 236l8-12 8 12z", t.D), line("M304 236q30 10 22 34t-30 22", STRAP, 6))


def hatchet(t):
    handle = "M186 104h28l4 120q2 40 14 92 0 16-20 16-18 0-22-18-10-60-8-100z"
    return turned(32, group("translate(12 10)", path(handle, "1d2238", ".13"),
                            path("M120 84l124 4v58l-60 2q-30 4-62 44-34-50-2-108z", "1d2238",
                                 ".13")),
                  path(handle, "ddbf92"),
                  path("M202 104h12l4 120q2 40 14 92 0 16-20 16-8-40-10-108z", "c39b62"),
                  path("M188 262h30l14 54q0 16-20 16-18 0-22-18z", "cb4a35"),
                  path("M122 78q40 12 64 8h58q8 0 8 8v44q0 8-8 8h-58q-32 4-66 46-36-56 2-114z",
                       "4b525b"),
                  path("M122 78q12 4 22 6-26 48 2 94-12 6-26 20-36-64 2-120z", STEEL),
                  rect(190, 92, 20, 46, "3a3f47", 3),
                  rect(196, 84, 10, 62, "ddbf92", 3), disc(214, 318, 4, INK))


def compass(t):
    ticks = "M200 132v14M200 260v14M129 203h14M257 203h14"
    fine = "M250 153l-7 7M150 153l7 7M250 253l-7-7M150 253l7-7"
    return (disc(208, 216, 110, "1d2238", ".14") + line("M200 92q-60-20-30-52t62 8-28 42", STRAP, 6)
            + rect(184, 74, 32, 30, "b98d3c", 6) + disc(200, 203, 108, "b98d3c")
            + disc(198, 200, 104, "dcb45f")
            + disc(200, 203, 88, "b98d3c") + disc(200, 203, 83, CREAM)
            + disc(200, 203, 72, "e4efec")
            + line(ticks, INK, 5) + line(fine, "8f9ba0", 4)
            + group("rotate(28 200 203)", path("M200 140l17 63h-34z", "cb4a35"),
                    path("M200 140l17 63h-17z", "a5382a"),
                    path("M183 203h34l-17 63z", "f7f3e8"), path("M200 203h17l-17 63z", "c9c4b4"))
            + disc(200, 203, 9, "b98d3c") + disc(200, 203, 4, INK)
            + line("M142 172q14-36 52-44", "ffffff", 6, ".7"))


def blanket(t):
    folds = (164, 216, 268)
    outline = "".join(box(88, y, 224, 52, 26) for y in folds)
    stripes = "".join(rect(x, 160, 18, 170, t.a) + rect(x + 26, 160, 5, 170, t.D)
                      for x in (118, 190, 262))
    creases = "".join(f"M88 {y + 10}h224" for y in folds)
    fringe = "".join(f"M{x} 316v14" for x in range(100, 306, 12))
    return (shadow(200, 328, 128, 10) + line(fringe, t.L, 4)
            + clipped(outline, rect(0, 0, 400, 400, t.b), stripes, line(creases, t.L, 5, ".7"),
                      *(rect(88, y + 38, 224, 14, "1d2238", opacity=".16") for y in folds))
            + rect(222, 150, 26, 172, STRAP, 4) + rect(142, 150, 26, 172, STRAP, 4)
            + rect(216, 196, 38, 24, "d8aa4c", 5) + rect(136, 196, 38, 24, "d8aa4c", 5)
            + line("M155 152Q155 104 195 104t40 48", STRAP, 14))


def stove(t):
    return (shadow(rx=90) + line("M140 318L176 238M260 318l-36-80M200 322V240", "6b7680", 9)
            + path("M154 150q-16-30 4-48 0 18 14 24-6-40 26-66-2 34 22 44 4-14-4-26 38 20 24 72z",
                   "e8803a")
            + path("M178 150q-8-20 6-34 4 12 12 16 0-22 14-34 0 20 14 28 4 12-2 24z", "f6cf6a")
            + line("M120 162v-16M280 162v-16M152 162v-10M248 162v-10", "55626e", 8)
            + rect(108, 160, 184, 13, "55626e", 6) + path("M136 173h128l-26 36h-76z", "8f9ba0")
            + path("M206 173h58l-26 36h-32z", "76828a") + rect(170, 208, 60, 36, "d8aa4c", 6)
            + rect(206, 208, 24, 36, "b98d3c", 6)
            + line("M230 228h50", "6b7680", 7) + rect(276, 214, 20, 28, "cb4a35", 6)
            + specks(((162, 188), (182, 188), (202, 188), (222, 188), (240, 188)), "3f474e", 4))


def chair(t):
    return (shadow(200, 324, 118, 10) + line("M132 322L262 216M268 322L138 216", "a9713f", 11)
            + line("M116 322L276 226M284 322L124 226", "c39b62", 11)
            + line("M124 236L138 84M276 236L262 84", "c39b62", 11)
            + solid("M140 92q60 18 120 0l8 118q-68 22-136 0z", t, 236,
                    line("M130 118q70 20 140 0M132 190q70 20 136 0", t.L, 4))
            + solid("M118 214q82 28 164 0l6 34q-88 34-176 0z", t, 250,
                    line("M112 240q88 32 176 0", t.D, 4))
            + disc(124, 230, 6, "d8aa4c") + disc(276, 230, 6, "d8aa4c")
            + line("M96 196h42M262 196h42", "a9713f", 11))


DRAWINGS = {
    "tent": (tent, "hill"), "backpack": (backpack, "hill"), "daysack": (daysack, "hill"),
    "sleepingbag": (sleepingbag, "desk"), "campmug": (campmug, "hill"), "flask": (flask, "hill"),
    "headtorch": (headtorch, "desk"), "lantern": (lantern, "hill"),
            "pocketknife": (pocketknife, "slant"),
    "hatchet": (hatchet, "desk"), "compass": (compass, "desk"), "blanket": (blanket, "hill"),
    "stove": (stove, "hill"), "chair": (chair, "hill"),
}
