"""What a product of the demo is. Money is in cents of a euro, weight in grams."""

import re
import zlib
from dataclasses import dataclass, field
from itertools import product as combinations

# These options change how a thing looks, so each of their values has a picture.
SEEN = ("Colour", "Wood", "Scent")


def slug(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower().replace("'", "")).strip("-")


@dataclass(frozen=True)
class Value:
    name: str
    dearer: int = 0
    heavier: int = 0

    @property
    def code(self):
        """`Harbour Blue` is HAR, `Set of 4` is SO4, `0.75 l` is 075L, `-5 °C` is M5C."""
        if not any(c.isdigit() for c in self.name):
            return re.sub(r"[^A-Z]", "", self.name.upper().split(" ")[0])[:3]
        words = re.findall(r"\d+|[A-Za-z]+", self.name.replace("-", "M", self.name.startswith("-")))
        return "".join(w if w.isdigit() else w[0].upper() for w in words)


@dataclass(frozen=True)
class Option:
    name: str
    values: tuple


def option(name, *values):
    """A value is its name, or (name, cents dearer, grams heavier)."""
    return Option(name, tuple(Value(*((v,) if isinstance(v, str) else v)) for v in values))


@dataclass(frozen=True)
class Product:
    sku: str
    title: str
    kind: str
    shelf: str          # the category below the department's
    art: str
    price: int
    grams: int
    text: str
    points: tuple
    tags: str
    material: str
    options: tuple = ()
    status: str = "Active"
    saving: int = 0     # cents that it was dearer before
    on_sale: tuple = () # only variants with one of these values; none named: all
    sold_out: tuple = ()  # variants with one of these values, or "*"
    backorder: bool = False  # sold on when there is none left
    gift_card: bool = False

    @property
    def handle(self):
        return slug(self.title)

    @property
    def looks(self):
        """Names of the colours that this product is made in."""
        return next(([v.name for v in o.values] for o in self.options if o.name in SEEN), [])

    def picture(self, look=None):
        return f"{self.handle}-{slug(look)}.svg" if look else f"{self.handle}.svg"

    def variants(self):
        for values in combinations(*(o.values for o in self.options)):
            yield Variant(self, values)


@dataclass(frozen=True)
class Variant:
    product: Product
    values: tuple

    @property
    def sku(self):
        return "-".join(["OD", self.product.sku, *(v.code for v in self.values)])

    @property
    def look(self):
        return next((v.name for v in self.values if v.name in self.product.looks), None)

    @property
    def price(self):
        return self.product.price + sum(v.dearer for v in self.values)

    @property
    def before(self):
        """The price before the sale, or None."""
        named = self.product.on_sale
        chosen = not named or any(v.name in named for v in self.values)
        return self.price + self.product.saving if self.product.saving and chosen else None

    @property
    def grams(self):
        return self.product.grams + sum(v.heavier for v in self.values)

    @property
    def stock(self):
        gone = self.product.sold_out
        if "*" in gone or any(v.name in gone for v in self.values):
            return 0
        return 4 + zlib.crc32(self.sku.encode()) % 68


@dataclass(frozen=True)
class Department:
    name: str
    category: str
    maker: str
    number: int  # third digit of its barcodes
    products: tuple = field(default_factory=tuple)
