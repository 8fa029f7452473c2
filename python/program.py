#!python
"""Becomes the native program, so that nothing of Python stays in memory."""

import importlib.util
import os
import sys

# Finds the package without importing it.
spec = importlib.util.find_spec("vecload")
if spec is None or not spec.submodule_search_locations:
    sys.exit("vecload: the package vecload is not installed where this Python looks")
program = f"{spec.submodule_search_locations[0]}/bin/vecload"
os.execv(program, [program, *sys.argv[1:]])
