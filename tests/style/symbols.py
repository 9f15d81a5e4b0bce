#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every symbol that the library's archive gives to others starts with vgg_, and exactly the functions
declared VGG_API in include/vgg are visible outside: in the archive, in the shared library, and in the list
src/libvgg.map, which says what the ABI is. And the library has no writable data, so no global state, but for
what is named here.

    symbols.py SOURCE_ROOT ARCHIVE SHARED_LIBRARY"""
import pathlib
import re
import subprocess
import sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check, finish  # noqa: E402

root, archive, shared = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
# cJSON notes where its last error was in a global variable of its own: one parse at a time.
WRITABLE = {"cjson_lock"}


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

listed = set(re.findall(r"^    (vgg_\w+);$", (root / "src/libvgg.map").read_text(encoding="utf-8"),
                        re.MULTILINE))
for name in sorted(declared - listed):
    check(False, f"{name}: declared VGG_API: add it to src/libvgg.map, and it stays there")
for name in sorted(listed - declared):
    check(False, f"{name}: in src/libvgg.map, but not declared VGG_API: removing it breaks the ABI")


def symbols_of(*command):
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [line.split() for line in listing.splitlines() if line.strip()]


exported = {fields[2].split("@")[0] for fields in symbols_of("nm", "-D", "--defined-only", shared)
            if fields[1] != "A"}
check(exported == listed, f"the shared library exports {sorted(exported - listed)} that src/libvgg.map "
                          f"does not list, and lacks {sorted(listed - exported)}")
for line in subprocess.run(["objdump", "-t", archive], capture_output=True, text=True,
                           check=True).stdout.splitlines():
    found = re.match(r"[0-9a-f]{16} .{7} (\.t?(?:data|bss)(?!\.rel\.ro)\S*)\t([0-9a-f]{16}) +(?:\.hidden )?(\S+)",
                     line)
    if found and not found.group(3).startswith(".") and int(found.group(2), 16) > 0:
        check(found.group(3) in WRITABLE, f"{found.group(3)}: writable data ({found.group(1)})")

sys.exit(finish())
