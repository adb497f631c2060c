"""Cloth, wood, glass and tins of the kitchen."""

from .pen import Tone, box, clipped, disc, group, line, oval, path, rect, shadow, solid, specks

INK, CREAM, WOOD = "2c3245", "fbf4e4", "c39b62"


def apron(t):
    body = "M162 112q38 22 76 0l16 70q20 10 34 8v150H112V190q14 2 34-8z"
    return (line("M164 114Q150 52 200 52t36 62", t.d, 9)
            + line("M116 200Q92 230 96 286M284 200q24 30 20 86", t.d, 8)
            + solid(body, t, 262, line("M150 330V230M250 330V230", t.d, 2),
                    rect(112, 326, 180, 5, t.d))
            + rect(148, 222, 104, 64, t.l, 6) + line("M148 240h104M200 240v46", t.d, 3)
            + line("M176 222l-8-40", WOOD, 9) + oval(166, 176, 11, 16, WOOD)
            + rect(216, 190, 9, 40, "8f9ba0", 3) + line("M220 190v-14", "8f9ba0", 4)
            + rect(148, 222, 104, 14, t.l, 4) + disc(164, 114, 5, "d8aa4c")
            + disc(236, 114, 5, "d8aa4c"))


def towel(t):
    cloth = "M120 96H280V330l-20-8-20 8-20-8-20 8-20-8-20 8-20-8-20 8z"
    return (rect(70, 84, 260, 14, WOOD, 7) + disc(70, 91, 12, "a97f48")
            + disc(330, 91, 12, "a97f48")
            + solid(cloth, t, 400, rect(200, 90, 90, 170, "1d2238", opacity=".1"),
                    rect(120, 246, 160, 12, t.a), rect(120, 266, 160, 6, t.a),
                    rect(120, 280, 160, 12, t.a),
                    line("M146 140v90M174 130v104M226 140v90M254 130v104", t.l, 3))
            + path("M120 90h90v150l-12-5-14 5-16-5-16 5-16-5-16 5z", t.b)
            + line("M144 130l10 12 20-24M144 176l10 12 20-24", t.a, 4, ".8")
            + line("M120 222h88", t.a, 6) + rect(116, 82, 168, 18, t.l, 8))


def mill(t):
    body = "M160 320V298q0-40 16-62t0-56V160h48v20q-16 34 0 56t16 62v22z"
    return (shadow(rx=78) + solid(body, t, 214, rect(150, 300, 100, 6, t.D),
                                  rect(150, 174, 100, 5, t.D),
                                  line("M176 320q-4-40 8-76", t.L, 5))
            + solid("M162 160q-10-54 38-58 48 4 38 58z", t, 214,
                    line("M176 150q-2-28 12-38", t.L, 5))
            + disc(200, 92, 12, "d8aa4c") + rect(162, 156, 76, 9, "8f9ba0", 3)
            + rect(152, 314, 96, 10, t.d, 4)
            + specks(((284, 312), (300, 318), (292, 324), (112, 318), (276, 322), (100, 312)),
                     "3a3c40", 4))


def jar(t):
    glass = box(122, 128, 156, 194, 26)
    beans = [(x + (8 if y % 32 else 0), y) for y in range(200, 320, 16) for x in range(136, 280,
        18)]
    return (shadow(rx=94) + clipped(glass, rect(0, 0, 400, 400, "dfeae8"),
                                    rect(110, 190, 190, 140, "a9603f"),
                                    specks(beans, "cb8a5c", 6),
                                    rect(242, 0, 60, 400, "1d2238", opacity=".13"),
                                    rect(134, 140, 11, 150, "ffffff", 6, ".5"))
            + rect(126, 118, 148, 14, "cb4a35", 5) + rect(116, 92, 168, 28, "e8f0ee", 12)
            + rect(150, 80, 100, 16, "cfdcd8", 8) + line("M276 108q26 0 22 34l-14 22", "8f9ba0", 5)
            + line("M284 126l-22 26", "8f9ba0", 5) + rect(156, 226, 88, 54, CREAM, 5)
            + line("M172 246h56M182 262h36", INK, 4))


def spoons(t):
    pot = Tone("9fcdc3")
    def spoon(x, degrees, colour, head):
        return group(f"rotate({degrees} 200 300)", rect(x - 6, 120, 12, 180, colour, 6), head)
    return (shadow(rx=82) + spoon(200, -16, "ddbf92", oval(200, 104, 24, 34, "ddbf92")
                                  + oval(200, 104, 15, 24, "c9a677"))
            + spoon(200, 17, "7d5138", path("M178 70q22-10 44 0l-6 66h-32z", "7d5138")
                    + line("M192 84v36M208 84v36", "5d3a28", 5))
            + spoon(200, 1, "c39b62", oval(200, 88, 26, 36, "c39b62") + disc(200, 88, 11, "8a6a3c"))
            + solid(box(138, 206, 124, 114, 14), pot, 226,
                    line("M130 236q16-12 32 0t32 0 32 0 32 0 32 0", pot.L, 5),
                    rect(130, 296, 140, 30, "c99d78"))
            + rect(132, 200, 136, 14, pot.l, 6))


def honey(t):
    hive = "M130 178q0-18 18-18H252q18 0 18 18V296q0 26-26 26H156q-26 0-26-26z"
    return (shadow(rx=92) + clipped(hive, rect(0, 0, 400, 400, "e2a02f"),
                                    rect(120, 160, 170, 18, "f3dca4"),
                                    rect(236, 0, 60, 400, "7a3c10", opacity=".22"),
                                    rect(140, 184, 11, 110, "f8dc96", 6, ".8"))
            + rect(134, 132, 132, 30, "75598a")
            + path("M118 150q14 14 28 0t27 0 27 0 27 0 27 0 28 0l-8-40q-74-22-148 0z", "8d6fa3")
            + specks(((140, 130), (166, 120), (192, 130), (218, 118), (246, 130), (180, 144),
                      (230, 144)), "e3d6ea", 4)
            + line("M132 154h136", "f3e6cb", 5) + path("M200 192l46 26v54l-46 26-46-26v-54z", CREAM)
            + oval(200, 248, 17, 13, "dba23a") + line("M192 238v20M202 236v24M211 240v16", INK, 4)
            + oval(190, 230, 12, 7, "bfd4d6") + oval(210, 230, 12, 7, "bfd4d6"))


def coffee(t):
    bag = "M128 100H272l10 24v176q0 20-18 20H136q-18 0-18-20V124z"
    lamp = Tone("26354f")
    return (shadow(rx=98) + solid(bag, lamp, 252,
                                  path("M118 262q27-18 54 0t54 0 56 0v70H118z", "2f5f86"),
                                  path("M118 284q27-18 54 0t54 0 56 0v50H118z", "9fcdc3"))
            + rect(124, 84, 152, 26, "d9c7a3", 4) + line("M132 97h136", "b89f70", 3)
            + path("M106 92h20v14h-20zM274 92h20v14h-20z", "d8aa4c")
            + path("M186 262l6-92h16l6 92z", CREAM)
            + path("M188 232h24l2 16h-28zM190 202h20l1 14h-22z", "cb4a35")
            + rect(186, 152, 28, 20, "f0d690")
            + path("M182 152l18-16 18 16z", "cb4a35")
            + path("M186 156l-58-14v34zM214 156l58-14v34z", "f0d690", ".55")
            + oval(92, 318, 15, 10, "5a3826") + line("M80 318q12-5 24 0", "8a5c40", 2.5)
            + oval(314, 320, 14, 9, "6b432e") + line("M303 320q11-5 22 0", "94664a", 2.5))


DRAWINGS = {
    "apron": (apron, "wall"), "towel": (towel, "wall"), "mill": (mill, "table"),
    "jar": (jar, "table"), "spoons": (spoons, "table"), "honey": (honey, "table"),
    "coffee": (coffee, "table"),
}
