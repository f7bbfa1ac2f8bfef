"""Schedules of faults on top of the end-to-end harness (tests/e2e/harness), which does the work."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../e2e"))
