"""Things of clay, and what stands or hangs in a kitchen."""

from .pen import Tone, clipped, disc, group, line, oval, path, rect, shadow, solid, specks, turned

CLAY, STEEL, CREAM = "c99d78", "c3ccd0", "fbf4e4"
SPECKS = ((136, 176), (160, 214), (148, 262), (186, 190), (206, 244), (232, 206), (220, 282),
          (178, 292), (248, 170), (166, 154), (196, 148), (238, 250))


def steam(x, y):
    return line(f"M{x} {y}q-14-16 0-30t0-30M{x + 34} {y + 4}q-14-14 0-28t0-28", "ffffff", 6, ".6")


def mug(t):
    body = "M112 142H264V280q0 40-40 40H152q-40 0-40-40z"
    return (shadow(200, rx=100) + line("M262 176h22q32 0 32 38t-32 40h-24", t.d, 20)
            + solid(body, t, 226, specks(SPECKS, t.D, 1.8), rect(112, 284, 160, 40, CLAY),
                    path("M112 270v24q38 14 76 0t76 0v-24z", t.b), rect(126, 160, 12, 110, t.L, 6))
            + oval(188, 142, 76, 15, t.l) + oval(188, 144, 65, 10, "5a3826") + steam(170, 116))


def espresso(t):
    cup = "M132 186H256q0 92-42 112H174q-42-20-42-112z"
    return (shadow(rx=128) + path("M70 300H330q-20 24-70 24H140q-50 0-70-24z", t.d)
            + oval(200, 300, 130, 13, t.l) + oval(198, 300, 62, 6, t.D, ".5")
            + line("M252 208q44-10 42 20t-54 36", t.d, 14)
            + solid(cup, t, 226, specks(SPECKS[:9], t.D, 1.6), rect(148, 196, 9, 64, t.L, 5))
            + oval(194, 186, 62, 13, t.l) + oval(194, 188, 52, 9, "5a3826")
            + line("M172 188q20-8 42 0", "b98a5c", 4) + steam(178, 160))


def teapot(t):
    body = "M116 220q0-64 84-64t84 64q0 100-84 100t-84-100z"
    return (shadow(rx=104) + path("M124 214q-44-6-66-48l-18 6q18 88 84 102z", t.d)
            + line("M126 158Q200 22 274 158", "a9713f", 9) + disc(126, 158, 9, t.D)
            + disc(274, 158, 9, t.D)
            + solid(body, t, 240, specks([(x, y + 10) for x, y in SPECKS], t.D, 1.8),
                    line("M120 242q20-14 40 0t40 0 40 0 40 0", t.L, 4),
                    line("M120 258q20-14 40 0t40 0 40 0 40 0", t.L, 4),
                    path("M140 192q12-22 34-24-20 14-24 34z", t.L))
            + path("M150 162q50-26 100 0-50 18-100 0z", t.l) + rect(192, 132, 16, 16, t.d)
            + disc(200, 130, 12, t.b) + rect(160, 314, 80, 10, CLAY, 4))


def bowl(t):
    lower = "M86 244H314q-6 58-64 76H150q-58-18-64-76z"
    upper = "M80 186H320q-8 70-76 92h-88q-68-22-76-92z"
    return (shadow(rx=104) + solid(lower, Tone(t.d), 262,
                                   specks([(x, y + 60) for x, y in SPECKS], t.D, 1.8),
                                   oval(206, 262, 104, 26, t.D, ".5"))
            + rect(156, 314, 88, 10, CLAY, 4)
            + solid(upper, t, 262, specks([(x, y + 36) for x, y in SPECKS[:8]], t.D, 1.8),
                    line("M80 216q20 10 40 0t40 0 40 0 40 0 40 0 40 0", t.L, 5))
            + oval(200, 186, 120, 22, t.l) + oval(200, 189, 106, 16, t.d)
            + oval(200, 193, 88, 11, "e9d6a8") + disc(170, 190, 7, "b5382c")
            + disc(214, 194, 7, "4a4a78") + disc(236, 190, 7, "4a4a78")
            + disc(190, 196, 6, "b5382c"))


def plate(t):
    fork = ("M62 112v42q0 14 12 16v118q0 8 6 8t6-8V170q12-2 12-16v-42h-6v40h-7v-40h-6v40h-7v-40z")
    return (disc(214, 212, 120, "1d2238", ".13") + disc(212, 200, 120, t.b)
            + disc(212, 200, 120, t.d, ".25")
            + disc(209, 197, 117, t.b) + disc(210, 198, 86, t.d, ".6") + disc(212, 200, 84, t.l)
            + specks([(x + 14, y - 22) for x, y in SPECKS], t.D, 1.8)
            + specks(((120, 160), (112, 210), (150, 282), (230, 296), (306, 220), (292, 140),
                      (180, 96)), t.D, 1.8)
            + line("M142 172q14-36 48-46", "ffffff", 6, ".5")
            + path(fork.replace("M62", "M46"), "9aa4a8"))


def vase(t):
    body = "M178 170h44q0 30 18 54 24 30 24 54 0 42-64 42t-64-42q0-24 24-54 18-24 18-54z"

    def bloom(x, y, colour):
        around = ((0, -14), (13, -4), (8, 12), (-8, 12), (-13, -4))
        petals = specks([(x + a, y + b) for a, b in around], colour, 13)
        return petals + disc(x, y, 8, "f0d690")
    return (shadow(rx=74)
            + line("M198 176Q200 120 160 92M204 176q4-50 44-84M200 176Q206 110 204 66", "5d7a4c", 5)
            + path("M180 128q-30 6-40-14 28-8 40 14zM218 136q24 10 40-8-24-12-40 8z", "7d9a5c")
            + bloom(156, 84, "cb6a55") + bloom(252, 84, "dba23a") + bloom(204, 54, "8d6fa3")
            + solid(body, t, 222, specks([(x, y + 34) for x, y in SPECKS], t.D, 1.8),
                    rect(130, 284, 140, 40, CLAY), path("M130 270v24q35 14 70 0t70 0v-24z", t.b),
                    path("M156 268q0-20 22-44-10 24-10 44z", t.L))
            + oval(200, 170, 24, 6, t.D))


def planter(t):
    pot = "M122 206H278L262 306q-3 14-16 14h-92q-13 0-16-14z"
    green, leafy = "4f7f5a", "6c9a63"
    leaves = ("M198 206Q130 190 104 116q74 8 94 90z", "M202 206q68-16 94-90-74 8-94 90z",
              "M198 206q-46-70 2-146 48 76-2 146z")
    return (shadow(rx=90) + path(leaves[0], green) + path(leaves[1], green) + path(leaves[2], leafy)
            + path("M196 206Q140 210 84 180q60-24 112 26zM204 206q56 4 112-26-60-24-112 26z", leafy)
            + line("M199 200V92M190 196q-40-26-66-62M210 196q40-26 66-62", "3d6648", 3)
            + solid(pot, t, 232, specks([(x, y + 30) for x, y in SPECKS], t.D, 1.8),
                    path("M120 262l20-18 20 18 20-18 20 18 20-18 20 18 20-18 20 18v16l-20-18-20 18-20-18"
                         "-20 18-20-18-20 18-20-18-20 18z", t.L))
            + rect(114, 194, 172, 24, t.b, 8) + rect(236, 194, 50, 24, t.d, 8)
            + rect(130, 320, 140, 8, CLAY, 4))


def saltpig(t):
    body = "M104 262q0-130 96-130 70 0 92 72 8 28 8 58 0 58-98 58t-98-58z"
    return (shadow(rx=106) + solid(body, t, 258,
                                   specks([(x - 10, y + 8) for x, y in SPECKS], t.D, 1.8),
                                   rect(100, 284, 210, 40, CLAY),
                                   path("M100 270v24q34 14 68 0t68 0 68 0v-24z", t.b))
            + oval(238, 208, 50, 40, t.l) + oval(240, 210, 42, 33, t.D)
            + clipped("M198 210a42 33 0 0 0 84 0z",
                      path("M196 226q20-16 44-6t44 2v30h-90z", "fbf8f0"))
            + line("M256 206l46-68", "a9713f", 8) + oval(306, 132, 14, 10, "c39b62")
            + line("M130 220q8-38 34-54", t.L, 7) + disc(196, 124, 13, t.d))


def knife(t, blade=176):
    far = 150 + blade
    outline = f"M150 178H{far - 80}q74 4 104 48-52 14-120 14H150z"
    return turned(-32, group("translate(4 14)", path(outline, "1d2238", ".12"),
                             path("M28 192h122v26H30z", "1d2238", ".12")),
                  path(outline, "dbe2e5"),
                  path(f"M150 214q{blade - 60} 10 {blade + 22} 12-50 14-118 14H150z", "b4bfc4"),
                  line(f"M164 186h{blade - 84}", "ffffff", 3, ".8"),
                  path("M136 176h18v56h-12q-6 0-6-10z", "8d979c"),
                  path("M140 178v34H70q-34 10-42-4-4-22 22-28z", t.b),
                  path("M140 198v14H70q-34 10-42-4-2-8 2-14 20 12 44 6z", t.d),
                  disc(64, 195, 4.5, "d8aa4c"), disc(92, 195, 4.5, "d8aa4c"),
                  disc(120, 195, 4.5, "d8aa4c"))


def paring(t):
    carrot = group("translate(70 116) rotate(24 180 150)",
                   path("M120 150q80-34 140 8-60 24-136 16-12-12-4-24z", "e08a3c"),
                   line("M150 146l6 12M182 142l6 14M214 148l6 12", "b9652a", 3),
                   path("M124 152q-26-30-40-18 4 8 14 12-22 2-20 16 24 6 44 2z", "6c9a63"))
    return carrot + group("translate(18 -34) scale(.92)", knife(t, 130))


def board(t):
    shape = "M140 96h44V66q0-20 18-20t18 20v30h44q16 0 16 16V310q0 16-16 16H140q-16 0-16-16V112q0-16 16-16z"
    return turned(8, group("translate(8 10)", path(shape, "1d2238", ".14")),
                  solid(shape, t, 400,
                        line("M142 90q8 120-2 240M166 90q-10 110 6 240M192 40q12 150-4 290"
                                            "M222 40q-10 150 6 290M252 90q10 100-2 240M272 100v220",
                             t.d, 3)),
                  disc(202, 70, 9, t.D),
                  path("M150 214q-4-46 56-48t58 44q0 26-14 28v40h-86v-38q-12-4-14-26z", "b97a45"),
                  path("M158 214q-2-38 48-40t50 36q0 20-14 22v38h-70v-36q-14-2-14-20z", "efd9ac"),
                  specks(((184, 200), (214, 194), (200, 226), (230, 214), (190, 250), (222, 246)),
                         "d9b983", 4))


def kettle(t):
    body = "M108 300q0-120 92-120t92 120q0 20-20 20H128q-20 0-20-20z"
    return (shadow(rx=112) + path("M262 232q30-10 52-66l26 8q-14 70-58 104z", t.d)
            + path("M310 164l34 10-4 10-34-10z", t.D)
            + line("M132 190Q140 74 206 76t62 114", "3a3c40", 10)
            + line("M168 86q34-16 74 2", "a9713f", 18)
            + solid(body, t, 244, path("M136 280q0-64 40-80-20 34-20 80z", t.L),
                    rect(100, 306, 200, 20, t.D))
            + path("M156 184q44-26 88 0-44 16-88 0z", t.l) + disc(200, 164, 11, "a9713f")
            + rect(194, 170, 12, 8, "3a3c40") + steam(346, 140))


def pan(t):
    iron = Tone("3a3c40")
    return turned(-35, group("translate(8 12)", disc(158, 200, 116, "1d2238", ".14")),
                  path("M262 184h112q16 0 16 16t-16 16H262z", iron.b),
                  rect(330, 192, 40, 16, "1f2126", 8),
                  disc(158, 200, 116, iron.d), disc(156, 198, 112, "55585e"),
                  disc(158, 200, 98, iron.b),
                  path("M100 180q20-50 66-30t64 46-30 62-64 2-66-80z", "fbf8f0"),
                  disc(158, 204, 28, "e8a93a"), disc(150, 196, 8, "f6d58a"),
                  specks(((130, 176), (196, 170), (120, 220), (190, 240)), "7d8b4c", 3),
                  line("M72 160q22-48 70-56", "8b8f96", 5, ".8"))


DRAWINGS = {
    "mug": (mug, "table"), "espresso": (espresso, "table"), "teapot": (teapot, "table"),
    "bowl": (bowl, "table"), "plate": (plate, "desk"), "vase": (vase, "table"),
    "planter": (planter, "table"), "saltpig": (saltpig, "table"), "knife": (knife, "slant"),
    "paring": (paring, "slant"), "board": (board, "desk"), "kettle": (kettle, "table"),
    "pan": (pan, "desk"),
}
