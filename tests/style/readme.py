#!/usr/bin/env python3
"""What the README files name is there: every path under a folder of the source, every option of
vgg-infer, and as many hostile files as they say.

    readme.py SOURCE_ROOT VGG_INFER"""
import pathlib
import re
import subprocess
import sys

root, program = pathlib.Path(sys.argv[1]), sys.argv[2]
FOLDERS = "include|models|src|tests|tools"
passed = failed = 0


def check(good, message):
    global passed, failed
    passed, failed = passed + good, failed + (not good)
    if not good:
        print(message)


text = "".join(subprocess.run([program, "help", *command], capture_output=True, text=True).stdout for command in
               ([], ["bench"], ["classify"], ["compare"], ["convert"], ["eval"], ["info"], ["pack"]))
known = set(re.findall(r"--[a-z][a-z-]+", text))

for readme in [*root.glob("*.md"), *root.glob("[a-z]*/*.md")]:
    name, content = readme.relative_to(root), readme.read_text(encoding="utf-8")
    for path in sorted(set(re.findall(rf"(?<![\w./-])((?:{FOLDERS})/[\w./-]*\w)", content))):
        check((root / path).exists() or (readme.parent / path).exists(),
              f"{name}: names {path}, which is not there")
        if re.search(rf"^\s+(?:\./)?{re.escape(path)}", content, re.MULTILINE) and \
                path.endswith((".sh", ".py")):
            check((root / path).stat().st_mode & 0o111 != 0, f"{name}: {path} cannot be run")
    for line in re.findall(r"vgg-infer .*", content):
        for option in re.findall(r"(?<!\S)--[a-z][a-z-]+", line):
            check(option in known, f"{name}: vgg-infer has no {option}")

sys.path.insert(0, str(root / "tests" / "crashers"))
from run import all_cases  # noqa: E402
hostile = sum(case.code != 0 for case in all_cases())
for name, words in (("README.md", "hostile files"), ("tests/crashers/README.md", "hostile ones")):
    told = re.findall(rf"over (\d+) {words}", (root / name).read_text(encoding="utf-8"))
    check(len(told) == 1 and int(told[0]) < hostile < int(told[0]) + 100,
          f"{name}: tells of over {told} {words}, there are {hostile}")

print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
