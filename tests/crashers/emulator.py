# SPDX-License-Identifier: MIT
"""How a program of this build is started: as it is, or in a cross build by the emulator that meson names."""
import os
import shlex
import shutil

EMULATOR = shlex.split(os.environ.get("MESON_EXE_WRAPPER", ""))
if EMULATOR:
    EMULATOR[0] = shutil.which(EMULATOR[0]) or EMULATOR[0]


def command_of(program):
    return [*EMULATOR, os.path.abspath(program)]
