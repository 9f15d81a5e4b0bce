#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""vgg-infer scan beside picklescan, fickling and modelscan of the Python package index: it reports every file of
scan_files.py that one of them does, and the table says which of them misses which.

    package_scan.py VGG_INFER BUILD_FOLDER

They are installed in a virtual environment in the build folder, once. Exit 77 (skipped) where the index cannot be
reached."""
import json
import pathlib
import subprocess
import sys
import tempfile

import scan_files
from packages import check_index, run, skip

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check, finish, show  # noqa: E402

PACKAGES = ["picklescan==1.0.5", "fickling==0.1.12", "modelscan==0.8.8", "numpy", "typing_extensions"]

# Each judges `path`: True, it reports something; None, it says that it cannot read the file.
SCANNERS = {
    "picklescan": """
from picklescan.scanner import scan_file_path
def judge(path):
    result = scan_file_path(path)
    return True if result.issues_count else None if result.scan_err else False
""",
    "fickling": """
import fickling
def judge(path):
    return not fickling.is_likely_safe(path)
""",
    "modelscan": """
from modelscan.modelscan import ModelScan
def judge(path):
    scan = ModelScan()
    result = scan.scan(path)
    return True if scan.issues.all_issues else None if result["errors"] else False
""",
}
DRIVER = """
import json, sys
found, failed = [], []
for path in sys.argv[1:]:
    try:
        verdict = judge(path)
    except Exception:
        verdict = None
    if verdict is not False:
        (failed if verdict is None else found).append(path)
print(json.dumps([found, failed]))
"""


def make_environment(build_folder):
    folder = pathlib.Path(build_folder).resolve() / "packages-scan"
    python = folder / "bin" / "python3"
    complete = folder / "complete"
    if complete.exists() and complete.read_text() == repr(PACKAGES):
        return python
    text, made = run(["/usr/bin/python3", "-m", "venv", folder], 120)
    if not made:
        skip("no environment can be made (apt-get install python3-venv): " + text.strip().splitlines()[-1])
    check_index(python)
    text, installed = run([python, "-m", "pip", "install", "-q", *PACKAGES], 600)
    if not installed:
        skip("pip cannot install the scanners: " + (text.strip().splitlines() or ["no output"])[-1])
    complete.write_text(repr(PACKAGES))
    return python


def reported(python, code, paths):
    """The names of the files that a scanner reports, and of those that it says it cannot read."""
    done = subprocess.run([python, "-c", code + DRIVER, *map(str, paths)], capture_output=True, text=True, timeout=600)
    if done.returncode:
        sys.exit(f"a scanner failed: {done.stderr[-2000:]}")
    return [{pathlib.Path(path).name for path in some} for some in json.loads(done.stdout.strip().splitlines()[-1])]


def write_files(folder):
    paths = []
    for name, data in {**scan_files.pickles(), **scan_files.archives()}.items():
        suffix = ".npy" if name == "npy" else ".pkl" if name in scan_files.pickles() else ".pth"
        paths.append(folder / (name + suffix))
        paths[-1].write_bytes(data)
    return paths


def main():
    program = sys.argv[1]
    python = make_environment(sys.argv[2])
    with tempfile.TemporaryDirectory() as name:
        paths = write_files(pathlib.Path(name))
        done = subprocess.run([program, "scan", "-f", "json", *paths], capture_output=True, text=True, timeout=600)
        ours = {pathlib.Path(file["path"]).name for file in json.loads(done.stdout)["files"]
                if file["dangerous"] + file["suspicious"] > 0}
        show(len(ours) == len(paths), f"vgg-infer scan reports {len(ours)} of {len(paths)} files")
        for scanner, code in SCANNERS.items():
            theirs, failed = reported(python, code, paths)
            missed = sorted(path.stem for path in paths if path.name not in theirs | failed)
            check(theirs <= ours, f"{scanner} reports what vgg-infer does not", sorted(theirs - ours))
            show(len(theirs) > 20, f"{scanner} reports {len(theirs)}, cannot read {len(failed)}, and misses {len(missed)}: {' '.join(missed)}")
    return finish()


sys.exit(main())
