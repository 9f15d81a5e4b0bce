#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the man page libvgg(3) from the public headers: their comments and declarations, in order.

    man_headers.py OUTPUT VERSION HEADER..."""
import pathlib
import re
import sys


def escape(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in text.split("\n"))


def comment_text(comment):
    """A comment without its stars."""
    lines = comment[2:-2].strip("\n").split("\n")
    return "\n".join(re.sub(r"^ \* ?", "", line).rstrip() for line in lines).strip()


def paragraphs(text):
    """Indented lines are a list or code and stay as they are; a blank line begins a paragraph."""
    out = []
    for block in re.split(r"\n\s*\n", text):
        fill = True
        for line in block.split("\n"):
            line = "" if re.fullmatch(r" *-{3,}.*-{3,} *|.*-{20,}", line) else line
            if fill and line.startswith(" "):
                out.append(".nf")
                fill = False
            if not fill and line and not line.startswith(" "):
                out.append(".fi")
                fill = True
            if line:
                out.append(escape(line))
        if not fill:
            out.append(".fi")
        out.append(".PP")
    return out


def chunks(header):
    """Comments and declarations in turn; a declaration keeps the comments inside it."""
    header = re.sub(r"^/\* SPDX-.*\n", "", header)
    body = re.sub(r"^#(if|ifdef|ifndef|endif|else|include)\b.*$", "", header, flags=re.MULTILINE)
    body = body.replace('extern "C" {', "")
    body = re.sub(r"^#define (VGG_API|VGG_\w+_H)\b.*$", "", body, flags=re.MULTILINE)
    body = re.sub(r"\bVGG_API ", "", body)
    body = re.sub(r"^}$", "", body, flags=re.MULTILINE)
    at = 0
    for found in re.finditer(r"^/\*.*?\*/$", body, re.DOTALL | re.MULTILINE):
        yield "code", body[at:found.start()].strip("\n")
        yield "comment", comment_text(found.group(0))
        at = found.end()
    yield "code", body[at:].strip("\n")


output, version, headers = sys.argv[1], sys.argv[2], [pathlib.Path(name) for name in sys.argv[3:]]
headers.sort(key=lambda path: (path.name != "vgg.h", path.name))
page = [f'.TH LIBVGG 3 "" "vgg-infer {version}" "Library Functions Manual"',
        ".SH NAME", "libvgg \\- run pretrained VGG checkpoints",
        ".SH SYNOPSIS", ".nf", ".B #include <vgg/vgg.h>", ".PP",
        ".B cc file.c $(pkg\\-config \\-\\-cflags \\-\\-libs vgg)", ".fi"]
for header in headers:
    page.append(".SH EXAMPLE" if header.name == "vgg.h" else f'.SH "<vgg/{header.name}>"')
    for kind, text in chunks(header.read_text(encoding="utf-8")):
        if not text.strip():
            continue
        if kind == "comment":
            page += paragraphs(text)
        else:
            page += [".RS 4", ".nf", "\\fB" + escape(re.sub(r"\n{3,}", "\n\n", text)) + "\\fR", ".fi", ".RE", ".PP"]
page += [".SH SEE ALSO", ".BR vgg\\-infer (1)"]
# A paragraph mark before a heading or a paragraph mark makes no space, but a warning.
text = "\n".join(page) + "\n"
text = re.sub(r"(?:\.PP\n)+(?=\.(?:SH|PP|RS))", "", text)
pathlib.Path(output).write_text(text, encoding="utf-8")
