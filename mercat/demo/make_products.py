#!/usr/bin/env python3
"""Writes products.csv from the definitions in odderby/. The same bytes each time."""

import csv
import sys
from html import escape
from pathlib import Path

sys.dont_write_bytecode = True

from odderby import DEPARTMENTS  # noqa: E402  (the line above must come first)

HERE = Path(__file__).resolve().parent
CURRENCIES = ("USD", "GBP", "JPY")
MATERIAL = "Material (product.metafields.custom.material)"
HEADERS = [
    "Title", "URL handle", "Description", "Vendor", "Product category", "Type", "Tags",
    "Published on online store", "Status", "SKU", "Barcode", "Option1 name", "Option1 value",
    "Option2 name", "Option2 value", "Option3 name", "Option3 value", "Price", "Compare-at price",
    *(f"{kind} / {c}" for c in CURRENCIES for kind in ("Price", "Compare-at price")),
    "Charge tax", "Inventory tracker", "Inventory quantity", "Continue selling when out of stock",
    "Weight value (grams)", "Weight unit for display", "Requires shipping", "Product image URL",
    "Image position", "Image alt text", "Variant image URL", "Gift card", "SEO title",
    "SEO description", MATERIAL,
]


def abroad(cents, currency):
    """A price as a shop would set it: round in its own money, not converted to the penny."""
    if currency == "JPY":
        return str((cents * 165 + 5_000) // 10_000 * 100)
    rate = {"USD": 112, "GBP": 87}[currency]
    halves = (cents * rate + 2_500) // 5_000
    return f"{halves // 2}.{halves % 2 * 5}0"


def money(cents):
    return f"{cents // 100}.{cents % 100:02d}"


def ean13(twelve):
    total = sum(int(digit) * (3 if i % 2 else 1) for i, digit in enumerate(twelve))
    return f"{twelve}{-total % 10}"


def yes(answer):
    return "TRUE" if answer else "FALSE"


def product_fields(department, product):
    points = "".join(f"<li>{escape(p, quote=False)}</li>" for p in product.points)
    return {
        "Title": product.title,
        "Description": f"<p>{escape(product.text, quote=False)}</p><ul>{points}</ul>",
        "Vendor": department.maker,
        "Product category": f"{department.category} > {product.shelf}",
        "Type": product.kind, "Tags": product.tags,
        "Published on online store": yes(product.status == "Active"), "Status": product.status,
        "Gift card": yes(product.gift_card), "SEO title": f"{product.title} | Odderby",
        "SEO description": product.text, MATERIAL: product.material,
        **{f"Option{i} name": o.name for i, o in enumerate(product.options, 1)},
    } | ({} if product.options else {"Option1 name": "Title"})


def variant_fields(variant, barcode):
    product = variant.product
    fields = {
        "SKU": variant.sku, "Barcode": barcode, "Price": money(variant.price),
        "Charge tax": yes(not product.gift_card),
        "Inventory tracker": "" if product.gift_card else "shopify",
        "Inventory quantity": "" if product.gift_card else variant.stock,
        "Continue selling when out of stock": "CONTINUE" if product.backorder else "DENY",
        "Weight value (grams)": variant.grams,
        "Weight unit for display": "kg" if variant.grams >= 1000 else "g",
        "Requires shipping": yes(not product.gift_card),
    }
    if variant.before:
        fields["Compare-at price"] = money(variant.before)
    for currency in CURRENCIES:
        fields[f"Price / {currency}"] = abroad(variant.price, currency)
        if variant.before:
            fields[f"Compare-at price / {currency}"] = abroad(variant.before, currency)
    if variant.look:
        fields["Variant image URL"] = url(product.picture(variant.look))
    values = [v.name for v in variant.values] or ["Default Title"]
    return fields | {f"Option{i} value": v for i, v in enumerate(values, 1)}


def url(picture):
    return f"/media/demo/{picture}"


def images(product):
    several = f"{product.title} in {' and '.join(product.looks[:3])}" if product.looks else product.title
    yield product.picture(), several.replace(" and ", ", ", max(0, len(product.looks[:3]) - 2))
    for look in product.looks:
        yield product.picture(look), f"{product.title} in {look}"


def rows_of(department, place, product):
    """The first row is the product and its first variant; images fill the rows, or get their own."""
    variants, pictures = list(product.variants()), list(images(product))
    for i in range(max(len(variants), len(pictures))):
        row = {"URL handle": product.handle}
        if i == 0:
            row |= product_fields(department, product)
        if i < len(variants):
            number = f"20{department.number}{place:04d}{i + 1:05d}"
            row |= variant_fields(variants[i], ean13(number))
        if i < len(pictures):
            name, alt = pictures[i]
            row |= {"Product image URL": url(name), "Image position": i + 1, "Image alt text": alt}
        yield row


def main():
    with open(HERE / "products.csv", "w", newline="", encoding="utf-8") as out:
        table = csv.DictWriter(out, HEADERS, restval="", lineterminator="\n")
        table.writeheader()
        for department in DEPARTMENTS:
            for place, product in enumerate(department.products, 1):
                table.writerows(rows_of(department, place, product))


if __name__ == "__main__":
    main()
