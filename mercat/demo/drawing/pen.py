"""The pen: SVG primitives in as few bytes as is readable, and colours that go together."""

COLOURS = {
    # glazes, cloths and lacquers
    "Kelp": "3f6b57", "Rust": "b8562f", "Harbour Blue": "2f5f86", "Chalk": "f1ebde",
    "Ochre": "dba23a", "Slate": "55626e", "Heather": "8d6fa3", "Foam": "9fcdc3",
    "Ember": "cb4a35", "Oat": "dfcfb0", "Midnight": "26354f", "Moss": "7d8b4c",
    "Rose Clay": "d3917f", "Copper": "bf7a4e", "Brass": "cfa550", "Soot": "3a3c40",
    # woods
    "Ash": "ddbf92", "Walnut": "7d5138", "Oak": "c39b62", "Cherry": "a9603f",
    # scents
    "Heather & Honey": "c39ac4", "Cedar Smoke": "8a5a44", "Sea Salt": "8fbcc9",
    "Lemon Balm": "d6c65a", "Pine Tar": "5d6b4a", "Oatmeal": "e3d2b3",
}


def mix(one, other, percent):
    """`percent` of `other` stirred into `one`; both `rrggbb`."""
    pairs = zip(bytes.fromhex(one), bytes.fromhex(other))
    return "".join(f"{(a * (100 - percent) + b * percent + 50) // 100:02x}" for a, b in pairs)


def luminance(colour):
    red, green, blue = bytes.fromhex(colour)
    return (299 * red + 587 * green + 114 * blue) // 1000


class Tone:
    """One colour as light falls on it: `b` base, `d`/`D` in shade, `l`/`L` in light, `a` accent."""

    def __init__(self, base):
        self.b = base
        self.d = mix(base, "1d2238", 18)
        self.D = mix(base, "1d2238", 40)
        self.l = mix(base, "fff6e4", 24)
        self.L = mix(base, "fff6e4", 52)
        self.light = luminance(base) > 195
        self.a = "cb4a35" if self.light else "f3e6cb"


class Ids:
    """Clip paths need names that are unique in one picture; `start` begins a picture."""

    prefix, count = "", 0

    @classmethod
    def start(cls, prefix):
        cls.prefix, cls.count = prefix, 0

    @classmethod
    def new(cls):
        cls.count += 1
        return f"{cls.prefix}-{cls.count}"


def path(d, fill, opacity=None):
    return f'<path d="{d}" fill="#{fill}"{see(opacity)}/>'


def line(d, stroke, width=4, opacity=None):
    ends = 'stroke-linecap="round" stroke-linejoin="round"'
    return f'<path d="{d}" fill="none" stroke="#{stroke}" stroke-width="{width}" {ends}{see(opacity)}/>'


def rect(x, y, w, h, fill, r=0, opacity=None):
    corner = f' rx="{r}"' if r else ""
    return f'<rect x="{x}" y="{y}" width="{w}" height="{h}"{corner} fill="#{fill}"{see(opacity)}/>'


def disc(x, y, r, fill, opacity=None):
    return f'<circle cx="{x}" cy="{y}" r="{r}" fill="#{fill}"{see(opacity)}/>'


def oval(x, y, rx, ry, fill, opacity=None):
    return f'<ellipse cx="{x}" cy="{y}" rx="{rx}" ry="{ry}" fill="#{fill}"{see(opacity)}/>'


def see(opacity):
    return "" if opacity is None else f' opacity="{opacity}"'


def group(transform, *parts):
    return f'<g transform="{transform}">{"".join(parts)}</g>'


def turned(degrees, *parts):
    return group(f"rotate({degrees} 200 200)", *parts)


def clipped(d, *parts):
    """Only what lies inside the outline `d` is seen."""
    name = Ids.new()
    return (f'<clipPath id="{name}"><path d="{d}"/></clipPath>'
            f'<g clip-path="url(#{name})">{"".join(parts)}</g>')


def solid(d, tone, x, *parts):
    """A body lit from the left: outline `d`, in shade from `x` on, `parts` painted on its skin."""
    return clipped(d, rect(0, 0, 400, 400, tone.b), *parts,
                   rect(x, 0, 400, 400, "1d2238", opacity=".16"))


def box(x, y, w, h, r=0):
    """The outline of a box with round corners, as path data."""
    if not r:
        return f"M{x} {y}h{w}v{h}h-{w}z"
    return (f"M{x + r} {y}h{w - 2 * r}q{r} 0 {r} {r}v{h - 2 * r}q0 {r} -{r} {r}"
            f"h-{w - 2 * r}q-{r} 0 -{r} -{r}v-{h - 2 * r}q0 -{r} {r} -{r}z")


def shadow(x=200, y=322, rx=90, ry=10):
    return oval(x, y, rx, ry, "1d2238", ".16")


def specks(points, fill, r=2):
    """Little dots, as in a speckled glaze or in snow."""
    dots = "".join(f"M{x} {y}h.1" for x, y in points)
    return line(dots, fill, 2 * r)
