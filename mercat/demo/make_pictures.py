#!/usr/bin/env python3
"""Draws media/*.svg: a picture for each product, and one for each colour it is made in.

The products are those of odderby/, the drawings those of drawing/. The same bytes each time.
"""

import sys
from html import escape
from pathlib import Path

sys.dont_write_bytecode = True

from drawing import clothing, home, kitchen, outdoor, paper, table  # noqa: E402
from drawing.pen import COLOURS, Ids, Tone  # noqa: E402
from drawing.scenes import arranged, scene  # noqa: E402
from odderby import DEPARTMENTS  # noqa: E402

MEDIA = Path(__file__).resolve().parent / "media"
DRAWINGS = {name: entry for module in (clothing, home, kitchen, outdoor, paper, table)
            for name, entry in module.DRAWINGS.items()}


def picture(name, title, department, art, looks):
    """The SVG of one product in `looks`: one colour, or several that stand together."""
    draw, place = DRAWINGS[art]
    Ids.start(name.removesuffix(".svg"))
    tones = [Tone(COLOURS[look]) for look in looks]
    things = [draw(tone) for tone in tones[:3]]
    deep = any(tone.light for tone in tones[:3])
    return ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400" role="img">'
            f"<title>{escape(title)}</title>{scene(place, department, deep)}"
            f"{arranged(things, place)}</svg>\n")


def pictures():
    for department in DEPARTMENTS:
        for product in department.products:
            name, looks = product.picture(), product.looks or ["Slate"]
            yield name, picture(name, product.title, department.name, product.art, looks)
            for look in product.looks:
                name, title = product.picture(look), f"{product.title} in {look}"
                yield name, picture(name, title, department.name, product.art, [look])


def main():
    MEDIA.mkdir(exist_ok=True)
    drawn = dict(pictures())
    for old in MEDIA.glob("*.svg"):
        if old.name not in drawn:
            old.unlink()
    for name, svg in drawn.items():
        (MEDIA / name).write_bytes(svg.encode())


if __name__ == "__main__":
    main()
