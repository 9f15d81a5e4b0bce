#!/usr/bin/env python3
"""Every symbol that the library's archive gives to others starts with vgg_, and exactly the functions
declared VGG_API in include/vgg are visible outside a shared object.

    symbols.py SOURCE_ROOT ARCHIVE"""
import pathlib
import re
import subprocess
import sys

root, archive = pathlib.Path(sys.argv[1]), sys.argv[2]
passed = failed = 0


def check(good, message):
    global passed, failed
    passed, failed = passed + good, failed + (not good)
    if not good:
        print(message)


# readelf tells a symbol's visibility, nm does not: Num Value Size Type Bind Vis Ndx Name
listing = subprocess.run(["readelf", "--syms", "--wide", archive], capture_output=True, text=True,
                         check=True).stdout
symbols = {}
for line in listing.splitlines():
    fields = line.split()
    if len(fields) == 8 and fields[4] in ("GLOBAL", "WEAK") and fields[6] != "UND":
        symbols[fields[7]] = fields[5]

declared = set()
for header in (root / "include" / "vgg").glob("*.h"):
    text = re.sub(r"/\*.*?\*/", "", header.read_text(encoding="utf-8"), flags=re.DOTALL)
    declared |= set(re.findall(r"^VGG_API[^;(]*?(\w+)\(", text, re.MULTILINE))

for name, visibility in sorted(symbols.items()):
    check(name.startswith("vgg_"), f"{name}: does not start with vgg_")
    if name in declared:
        check(visibility == "DEFAULT", f"{name}: declared VGG_API, but hidden")
    else:
        check(visibility == "HIDDEN", f"{name}: visible, but not declared VGG_API")
for name in sorted(declared - set(symbols)):
    check(False, f"{name}: declared VGG_API, but not defined")

print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
