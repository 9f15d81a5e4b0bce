# SPDX-License-Identifier: MIT
"""Natural photographs for the tests, from Debian packages."""

import os
import sys

# Package -> photographs in it. Sizes from 512x600 to 2560x1920.
PACKAGES = {
    "python-matplotlib-data": [
        "/usr/share/matplotlib/mpl-data/sample_data/grace_hopper.jpg",
    ],
    "mate-backgrounds": [
        "/usr/share/backgrounds/mate/nature/%s.jpg" % name
        for name in ("Aqua", "Blinds", "Dune", "FreshFlower", "Garden", "GreenMeadow", "LadyBird",
                     "RainDrops", "Storm", "TwoWings", "Wood", "YellowFlower")
    ],
}


def photos():
    """Yields (name, path) of every photograph; exits naming the package when one is missing."""
    for package, paths in PACKAGES.items():
        for path in paths:
            if not os.path.exists(path):
                sys.exit("%s is missing: apt-get install %s" % (path, package))
            yield os.path.splitext(os.path.basename(path))[0], path


if __name__ == "__main__":
    from PIL import Image
    for photo, file in photos():
        print("%-14s %5d x %-5d %s" % ((photo,) + Image.open(file).size + (file,)))
