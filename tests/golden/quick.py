# SPDX-License-Identifier: MIT
"""Whether this is the everyday run of the tests (tools/test.sh --quick), which does not repeat the same check on
every net or thousands of images."""
import os

QUICK = "VGG_TEST_QUICK" in os.environ
