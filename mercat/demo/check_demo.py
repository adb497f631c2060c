#!/usr/bin/env python3
"""Checks what the two generators wrote: exits with 1 and says why when the demo is not sound."""

import csv
import re
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

HERE = Path(__file__).resolve().parent
LARGEST_PICTURE = 6 * 1024
PRODUCT_ONLY = ("Title", "Description", "Vendor", "Product category", "Status", "Option1 name")


def barcode_is_valid(code):
    digits = [int(c) for c in code]
    return (len(digits) == 13 and 200 <= int(code[:3]) <= 299
            and sum(d * (3 if i % 2 else 1) for i, d in enumerate(digits)) % 10 == 0)


def faults(rows, pictures):
    """Every rule that the catalog breaks, in words."""
    variants = [r for r in rows if r["SKU"]]
    for column in ("SKU", "Barcode"):
        for value, times in Counter(r[column] for r in variants).items():
            if times > 1:
                yield f"{column} {value} stands {times} times"
    seen, last = set(), None
    for row in rows:
        handle, first = row["URL handle"], row["URL handle"] != last
        if first and handle in seen:
            yield f"{handle}: its rows are not together"
        if any(bool(row[c]) != first for c in PRODUCT_ONLY):
            yield f"{handle}: product fields belong on the first row, and only there"
        if first and row["Product category"].count(" > ") != 2:
            yield f"{handle}: the category has not three levels"
        if first and not 0 < len(row["SEO description"]) <= 160:
            yield f"{handle}: the SEO description has {len(row['SEO description'])} characters"
        seen.add(handle)
        last = handle
    combos = Counter((r["URL handle"], *(r[f"Option{i} value"] for i in (1, 2,
        3))) for r in variants)
    yield from (f"{c}: this combination stands twice" for c, times in combos.items() if times > 1)
    for row in variants:
        if not barcode_is_valid(row["Barcode"]):
            yield f"{row['SKU']}: barcode {row['Barcode']}"
        yield from price_faults(row)
    used = {Path(r[c]).name for r in rows for c in ("Product image URL",
                                                    "Variant image URL") if r[c]}
    yield from (f"no picture {name}" for name in sorted(used - pictures.keys()))
    yield from (f"nobody shows {name}" for name in sorted(pictures.keys() - used))
    for name, path in pictures.items():
        ElementTree.parse(path)
        if path.stat().st_size >= LARGEST_PICTURE:
            yield f"{name} has {path.stat().st_size} bytes"


def price_faults(row):
    for suffix, shape in (("", r"\d+\.\d\d"), (" / USD", r"\d+\.\d\d"), (" / GBP", r"\d+\.\d\d"),
                          (" / JPY", r"\d+")):
        price, before = row["Price" + suffix], row["Compare-at price" + suffix]
        if not re.fullmatch(shape, price):
            yield f"{row['SKU']}: price{suffix} is {price!r}"
        elif before and float(before) <= float(price):
            yield f"{row['SKU']}: compare-at price{suffix} is not above the price"


def main():
    with open(HERE / "products.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, strict=True))
    pictures = {p.name: p for p in sorted((HERE / "media").glob("*.svg"))}
    found = list(faults(rows, pictures))
    products = len({r["URL handle"] for r in rows})
    variants = sum(bool(r["SKU"]) for r in rows)
    size = sum(p.stat().st_size for p in pictures.values())
    summary = (f"{products} products, {variants} variants, {len(rows)} rows, "
               f"{len(pictures)} pictures of {size // 1024} KiB together, {len(found)} faults")
    sys.stdout.write("\n".join([*found, summary]) + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
