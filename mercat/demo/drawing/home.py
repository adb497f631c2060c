"""Light, scent and time: things for the house, and the card that buys them."""

from .pen import clipped, disc, group, line, oval, path, rect, shadow, solid, turned, box

CREAM, INK, BRASS = "fbf4e4", "2c3245", "d8aa4c"


def candle(t):
    glass = box(124, 168, 152, 152, 22)
    return (shadow(rx=94) + disc(200, 118, 66, "fff0b8", ".55")
            + path("M200 66q34 44 12 74h-24q-22-30 12-74z", "e8803a")
            + path("M200 98q16 24 6 42h-12q-10-18 6-42z", "fff3cf") + line("M200 136v34", INK, 4)
            + clipped(glass, rect(0, 0, 400, 400, "e6ecea"), rect(124, 186, 152, 140, t.b),
                      rect(134, 186, 132, 10, t.L, 5),
                      rect(238, 0, 60, 400, "1d2238", opacity=".14"),
                      rect(136, 180, 10, 110, "ffffff", 5, ".55"))
            + oval(200, 170, 72, 9, "f4f8f6", ".8") + rect(154, 216, 92, 70, CREAM, 4)
            + path("M200 228q22 14 0 34-22-20 0-34z", t.d) + line("M200 238v30M176 276h48", INK, 3))


def desklamp(t):
    return (shadow(176, 324, 84, 9) + path("M262 150L380 300H190z", "fff0b8", ".65")
            + line("M160 312L120 214 222 108", t.d, 11) + line("M172 308L132 214", t.l, 4)
            + disc(122, 214, 13, BRASS)
            + group("rotate(-38 236 122)", rect(206, 78, 60, 22, t.d, 8),
                    disc(236, 152, 24, "fff3cf"),
                    solid("M208 98h56l36 58H172z", t, 248, line("M206 108l-22 40", t.L, 6)),
                    rect(170, 150, 132, 9, t.D, 4))
            + disc(222, 108, 11, BRASS) + solid("M110 322q2-26 66-26t66 26z", t, 204,
                                                line("M132 312q14-8 36-10", t.L, 4))
            + line("M242 316q40 8 60-2t40 2", INK, 4))


def pendant(t):
    return (path("M112 214L66 356H334L288 214z", "fff0b8", ".6") + line("M200-200V92", INK, 4)
            + rect(184, 84, 32, 34, BRASS, 5) + rect(190, 70, 20, 18, "b98d3c", 4)
            + disc(200, 222, 30, "fff3cf")
            + solid("M104 214q0-104 96-104t96 104z", t, 244, line("M128 198q6-56 52-72", t.L, 7))
            + oval(200, 214, 96, 12, t.D) + oval(200, 216, 84, 8, "fbe6a4")
            + rect(168, 112, 64, 7, t.D, 3))


def soap(t):
    return (shadow(200, 318, 124, 11) + rect(92, 282, 216, 22, "c39b62", 6)
            + rect(92, 282, 216, 8, "ddbf92", 4)
            + rect(112, 304, 20, 16, "a97f48", 3) + rect(268, 304, 20, 16, "a97f48", 3)
            + solid(box(112, 200, 176, 84, 22), t, 244, rect(112, 200, 176, 22, t.l),
                    rect(164, 190, 72, 100, CREAM),
                    line("M178 226h44M184 262h32", INK, 3), line("M182 244q9-10 18 0t18 0", t.d, 4))
            + "".join(disc(x, y, r, "ffffff", ".75")
                      + disc(x - r // 3, y - r // 3, r // 4, "ffffff")
                      for x, y, r in ((130, 156, 24), (176, 128, 16), (222, 160, 20),
                                      (262, 120, 28), (214, 94, 11), (150, 100, 10)))
            + line("M118 150q4-10 12-12M246 112q6-12 16-12", "9fcdc3", 3))


def clock(t):
    ticks = "".join(f'<path d="M200 {104 if h % 3 else 102}v{8 if h % 3 else 18}" stroke="#{t.a}" stroke-width="{4 if h % 3 else 6}" '
                    f'transform="rotate({30 * h} 200 196)"/>' for h in range(12))
    return (disc(208, 208, 126, "1d2238", ".15") + disc(200, 196, 126, "c39b62")
            + disc(198, 193, 122, "ddbf92")
            + disc(200, 196, 108, t.d) + disc(200, 198, 105, t.b) + ticks
            + line("M200 196L156 164", t.a, 9) + line("M200 196L250 138", t.a, 6)
            + line("M188 226L222 152", "dba23a" if t.light else "e8803a", 3)
            + disc(200, 196, 10, BRASS) + line("M112 160q18-46 64-62", "ffffff", 6, ".35"))


def giftcard(t):
    return turned(-8, rect(72, 128, 272, 172, "1d2238", 16, ".15"),
                  group("rotate(10 200 200)", rect(64, 112, 272, 172, "fffaf0", 16),
                        line("M92 148h90M92 172h150M92 250h60", "c9b594", 5)),
                  clipped(box(64, 116, 272, 172, 16), rect(0, 0, 400, 400, "2f5f86"),
                          disc(272, 176, 34, "f0d690"),
                          path("M60 250l70-66 46 40 52-50 108 76v50H60z", "26354f"),
                          path("M60 252q20-12 40 0t40 0 40 0 40 0 40 0 40 0 40 0v50H60z", "9fcdc3"),
                          path("M60 270q20-12 40 0t40 0 40 0 40 0 40 0 40 0 40 0v50H60z", "3f6b57"),
                          path("M112 232l4-62h16l4 62z", CREAM),
                          path("M114 206h20l1 14h-22z", "cb4a35"), rect(114, 156, 20, 16, "f0d690"),
                          path("M110 156l14-15 14 15z", "cb4a35"),
                          path("M136 162l80-20v40z", "f0d690", ".6"),
                          rect(206, 110, 22, 190, "cb4a35")),
                  path("M217 122q-40-50-60-24-8 26 60 24zM217 122q40-50 60-24 8 26-60 24z",
                       "cb4a35"),
                  path("M217 122q-30-30-44-18-4 14 44 18zM217 122q30-30 44-18 4 14-44 18z",
                       "a5382a"), disc(217, 122, 12, "e0614b"))


DRAWINGS = {
    "candle": (candle, "table"), "desklamp": (desklamp, "table"), "pendant": (pendant, "wall"),
            "soap": (soap, "table"),
    "clock": (clock, "wall"), "giftcard": (giftcard, "desk"),
}
