"""Things to wear, and cloth for the house."""

from .pen import box, disc, group, line, oval, path, rect, solid, specks, turned

STRAP, CREAM = "7d5138", "fbf4e4"


def shade_of(outline):
    return group("translate(8 10)", path(outline, "1d2238", ".12"))


def jumper(t):
    torso = "M146 92q54 22 108 0l40 22 8 214H98l8-214z"
    arms = "M106 114q-34 6-42 60l-14 124 42 6 22-130zM294 114q34 6 42 60l14 124-42 6-22-130z"
    cables = "".join(f"M{x} 150q14 12 0 24t0 24 0 24 0 24 0 24 0 24M{x + 14} 150q-14 12 0 24t0 24 0 24 0 24 0 24 0 24"
                     for x in (136, 193, 250))
    ribs = "".join(f"M{x} 312v16" for x in range(106, 300, 10))
    return (shade_of(torso + arms) + path(arms, t.d)
            + solid(torso, t, 272, line(cables, t.L, 4, ".75"),
                                                             rect(90, 308, 220, 24, t.d),
                    line(ribs, t.l, 2.5))
            + path("M142 92q58 36 116 0l-4-16q-54 16-108 0z", t.l)
            + path("M146 78q54 18 108 0-54-16-108 0z", t.D)
            + line("M54 284l36 5M346 284l-36 5", t.l, 7))


def shirt(t):
    torso = "M148 84l52 16 52-16 44 26 4 218q-100 12-200 0l4-218z"
    arms = "M104 110q-28 10-36 62l-14 116 38 6 24-120zM296 110q28 10 36 62l14 116-38 6-24-120z"
    return (shade_of(torso + arms) + path(arms, t.d)
            + path("M52 270l40 7-2 19-40-6zM348 270l-40 7 2 19 40-6z", t.l)
            + solid(torso, t, 276, rect(188, 90, 24, 250, t.l),
                    line("M188 100V340M212 100V340", t.d, 2))
            + path("M148 84l52 40-26 26-38-52zM252 84l-52 40 26 26 38-52z", t.l)
            + path("M152 82q48 14 96 0l-48 40z", t.D)
            + "".join(disc(200, y, 4.5, CREAM if not t.light else STRAP) for y in (150, 190, 230,
                270, 308))
            + path("M126 174h46v40l-23 10-23-10z", t.d) + path("M126 174h46v10h-46z", t.l)
            + path("M228 174h46v40l-23 10-23-10z", t.d) + path("M228 174h46v10h-46z", t.l))


def tee(t):
    torso = "M154 86q46 30 92 0l58 30 36 76-46 22-16-34 4 148H118l4-148-16 34-46-22 36-76z"
    return (shade_of(torso) + solid(torso, t, 274,
                                    line("M122 176q4 80 0 150M282 180q-4 80 0 150", t.d, 3, ".6"))
            + line("M154 87q46 36 92 0", t.l, 9)
            + disc(200, 200, 40, t.a)
            + path("M160 206q10-8 20 0t20 0 20 0 20 0q-4 34-40 34t-40-34z", t.d)
            + path("M172 204h58l-8 15h-42z", CREAM if not t.light else "26354f")
            + path("M198 200v-32l24 32zM194 200v-24l-16 24z", t.b)
            + line("M66 186l44 20M334 186l-44 20", t.d, 3))


def beanie(t):
    dome = "M106 246q-6-138 94-138t94 138z"
    ribs = "".join(f"M200 104Q{200 - w} 130 {200 - w * 1.25:g} 250" for w in (72, 44, 15, -15, -44,
        -72))
    cuff = "".join(f"M{x} 244v54" for x in range(112, 300, 16))
    return (oval(206, 312, 108, 11, "1d2238", ".14") + disc(200, 96, 28, t.a)
            + specks(((186, 84), (206, 78), (216, 96), (198, 104), (184, 104)), t.L, 4)
            + solid(dome, t, 250, line(ribs, t.d, 4))
            + solid(box(94, 234, 212, 74, 18), t, 258, line(cuff, t.l, 5))
            + rect(222, 256, 44, 30, STRAP, 3) + path("M232 278l12-16 12 16z", CREAM))


def socks(t):
    def sock():
        outline = "M150 70h72v136q4 22 30 44l40 30q22 26-2 44-20 12-46-2l-64-40q-32-20-30-66z"
        ribs = "".join(f"M{x} 72v34" for x in range(158, 222, 9))
        return (shade_of(outline) + solid(outline, t, 400, rect(140, 130, 100, 12, t.a),
                                          rect(140, 150, 100, 6, t.L),
                                          rect(140, 164, 100, 12, t.a), disc(156, 262, 40, t.d),
                                          disc(296, 310, 42, t.d))
                + path("M146 66h80v36h-80z", t.l) + line(ribs, t.b, 3, ".8"))
    return group("translate(-6 -4)", group("translate(56 -14) rotate(-8 200 200)", sock()),
                 group("translate(-50 10)", sock()))


def jacket(t):
    torso = "M146 108q54 20 108 0l44 20 6 196q-104 14-208 0l6-196z"
    arms = "M102 128q-28 8-38 64l-14 112 42 6 22-122zM298 128q28 8 38 64l14 112-42 6-22-122z"
    return (shade_of(torso + arms) + path(arms, t.d)
            + path("M140 116q-10-72 60-72t60 72q-60 34-120 0z", t.l)
            + path("M158 112q-6-48 42-48t42 48q-42 24-84 0z", t.D)
            + solid(torso, t, 274, rect(186, 100, 28, 240, t.l), line("M186 110V340", t.d, 3),
                    line("M98 170q102 20 204 0", t.d, 3))
            + "".join(rect(192, y, 16, 8, "d8aa4c", 4) for y in (136, 176, 216, 256, 296))
            + path("M118 236h54v58h-54zM228 236h54v58h-54z", t.d)
            + path("M114 230h62v18h-62zM224 230h62v18h-62z", t.l)
            + line("M172 126q-6 20 2 38M228 126q6 20-2 38", CREAM, 4)
            + line("M54 288l35 5M346 288l-35 5", t.D, 6))


def cushion(t):
    outline = "M84 84q116 20 232 0-20 116 0 232-116-20-232 0 20-116 0-232z"
    waves = "".join(f"M80 {y}q20-18 40 0t40 0 40 0 40 0 40 0 40 0" for y in (140, 176, 212, 248,
        284))
    return turned(6, shade_of(outline), solid(outline, t, 400, line(waves, t.L, 6),
                                              path("M90 320q120-30 240-20V80q-30 120-60 200z",
                                                   "1d2238", ".1")),
                  "".join(group(f"translate({x} {y}) rotate({a})", disc(0, 0, 8, t.a),
                                line("M4 2l20 4M4 6l16 14M0 8l4 20", t.a, 4))
                          for x, y, a in ((318, 318, 0), (82, 318, 90), (82, 82, 180),
                                          (318, 82, 270))))


def tote(t):
    body = "M104 150H296l10 176q-106 12-212 0z"
    return (line("M164 156V96q0-34 36-34t36 34v60", t.d, 11) + shade_of(body)
            + solid(body, t, 264, line("M104 170h200", t.d, 3),
                    line("M104 300q24-14 48 0t48 0 48 0 48 0 48 0M104 314q24-14 48 0t48 0 48 0 48 0 48 0", t.L, 4))
            + path("M190 278l5-60h14l5 60z", t.a) + rect(191, 204, 18, 15, "f0d690")
            + path("M187 204l13-14 13 14z", "cb4a35" if not t.light else "26354f")
            + path("M188 206l-44-11v25zM212 206l44-11v25z", "f0d690", ".7")
            + line("M168 282h64", t.a, 6)
            + line("M152 166V94q0-44 48-44t48 44v72", t.l, 11)
            + line("M147 172h10M243 172h10", t.D, 4))


DRAWINGS = {
    "jumper": (jumper, "wall"), "shirt": (shirt, "wall"), "tee": (tee, "wall"),
            "beanie": (beanie, "desk"),
    "socks": (socks, "desk"), "jacket": (jacket, "wall"), "cushion": (cushion, "desk"),
            "tote": (tote, "wall"),
}
