#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tools/packages.sh with stand-ins for apt and dpkg: what it installs, what it prints before, and that neither a
broken package index nor an older installed package keeps it from that.

    packages.py SOURCE_ROOT"""
import pathlib
import subprocess
import sys
import tempfile
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check, finish  # noqa: E402

SCRIPT = pathlib.Path(sys.argv[1]).resolve() / "tools/packages.sh"

# What they are asked is noted in the file `calls`; what they answer is in the files beside them.
STAND_INS = {
    "dpkg": """case $1 in
--print-architecture) echo amd64 ;;
--print-foreign-architectures) cat foreign ;;
--add-architecture) echo "$2" >>foreign ;;
esac""",
    "dpkg-query": "cat installed",
    "apt-get": """case "$*" in
update*) cat update; exit "$(cat update-code)" ;;
*--simulate*=*) cat simulate-older ;;
*--simulate*) cat simulate; exit "$(cat simulate-code)" ;;
*--print-uris*) cat sizes ;;
esac""",
    "apt-cache": 'grep "^ *$2 |" madison || true',
    "id": "echo 0",
}
ANSWERS = {"foreign": "", "installed": "gcc:amd64 install ok installed\n", "update": "", "update-code": "0",
           "simulate": "", "simulate-code": "0", "simulate-older": "", "madison": "",
           "sizes": "'http://x/check.deb' check.deb 100 MD5Sum:0\nNeed to get 161 MB of archives.\n"
                    "After this operation, 441 MB of additional disk space will be used.\n"}


def run(command, code=0, **answers):
    """What the command prints, and what apt-get, apt-cache and dpkg were asked for."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for program, text in STAND_INS.items():
            path = folder / program
            path.write_text(f'#!/bin/sh\ncd "$(dirname "$0")"\necho "{program} $*" >>calls\n{text}\n')
            path.chmod(0o755)
        for file, text in {**ANSWERS, **answers}.items():
            (folder / file.replace("_", "-")).write_text(text)
        done = subprocess.run(["sh", "-euc", f". {SCRIPT}; {command}"], capture_output=True, text=True,
                              env={"PATH": f"{name}:/usr/bin:/bin"})
        calls = (folder / "calls").read_text().splitlines() if (folder / "calls").exists() else []
    check(done.returncode == code, f"{command}: exit code {done.returncode}", done.stdout, done.stderr)
    return done.stdout + done.stderr, calls


def installed_by(calls):
    """The packages of the one call that installs."""
    real = [call for call in calls if call.startswith("apt-get install") and "--simulate" not in call and
            "--print-uris" not in call]
    return real[0].split(" -y ")[1].split() if len(real) == 1 else real


def test_nothing_missing():
    text, calls = run("install_missing gcc")
    check("packages: all 1 are installed" in text, "says that nothing is missing", text)
    check(not any(call.startswith("apt-get") for call in calls), "asks apt for nothing", calls)


def test_installs():
    text, calls = run("install_missing gcc check libc6:arm64", simulate="Inst check (0.15 Debian [amd64])\n")
    check(installed_by(calls) == ["check", "libc6:arm64"], "only what is missing", calls)
    check("Need to get 161 MB" in text and "441 MB of additional disk space" in text, "the sizes", text)
    install = [call for call in calls if "install" in call and call.startswith("apt-get")]
    for option in ("--no-install-recommends", "--no-remove", "APT::Get::Upgrade-By-Source-Package=false"):
        check(all(option in call for call in install), option, install)
    check("upgrading" not in text, "no upgrade is announced", text)


def test_architectures():
    """A package of another architecture, or one that was removed, is missing."""
    for line in ("check:arm64 install ok installed\n", "check:amd64 deinstall ok config-files\n"):
        _, calls = run("install_missing check", installed=line)
        check(installed_by(calls) == ["check"], line, calls)
    _, calls = run("install_missing check:arm64", installed="check:arm64 install ok installed\n")
    check(not any(call.startswith("apt-get") for call in calls), "check:arm64 is there", calls)
    _, calls = run("install_missing meson", installed="meson:all install ok installed\n")
    check(not any(call.startswith("apt-get") for call in calls), "architecture all is any", calls)
    _, calls = run("add_architecture arm64; add_architecture arm64")
    check(calls.count("dpkg --add-architecture arm64") == 1, "adds an architecture once", calls)


def test_broken_index():
    text, calls = run("install_missing check", update="E: Failed to fetch InRelease\n", update_code="100")
    check(installed_by(calls) == ["check"], "installs all the same", calls)
    check("not every package index could be fetched" in text, "says so", text)


def test_cannot_install():
    text, calls = run("install_missing nonsense", code=1, simulate="E: Unable to locate package nonsense\n",
                      simulate_code="100")
    check("cannot install these packages" in text and "nonsense" in text, "says so", text)
    check(installed_by(calls) == [], "installs nothing", calls)


UPGRADE = ("Inst libssl3 [3.0.19] (3.0.22 Debian-Security [amd64])\n"
           "Inst libssl3:arm64 (3.0.22 Debian-Security [arm64])\n"
           "Inst libkeyutils1:arm64 (1.6 Debian [arm64])\n")


def test_upgrades():
    """What has to be upgraded is told, with the package that needs it."""
    text, calls = run("install_missing libzip-dev:arm64", simulate=UPGRADE,
                      madison=" libssl3:arm64 | 3.0.22 | http://x bookworm\n")
    check("upgrading libssl3 from 3.0.19 to 3.0.22, the version of libssl3:arm64" in text, "why", text)
    check("libkeyutils1" not in text, "others have nothing to do with it", text)
    check(installed_by(calls) == ["libzip-dev:arm64"], "what is installed", calls)


def test_avoids_upgrades():
    """Where the new package is offered in the version of the installed one, that is taken."""
    text, calls = run("install_missing libzip-dev:arm64", simulate=UPGRADE,
                      simulate_older="Inst libssl3:arm64 (3.0.19 Debian [arm64])\n",
                      madison=" libssl3:arm64 | 3.0.22 | http://x bookworm\n libssl3:arm64 | 3.0.19 | http://x bookworm\n")
    check(installed_by(calls) == ["libzip-dev:arm64", "libssl3:arm64=3.0.19"], "the older one", calls)
    check("upgrading" not in text, "no upgrade is announced", text)


for name, test in list(globals().items()):
    if name.startswith("test_"):
        test()
sys.exit(finish())
