# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Lets tests call what is in a script."""

import importlib.util
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path


def load(name):
    """scripts/NAME as a module; it finds the modules beside it."""
    sys.dont_write_bytecode = True
    script = Path(__file__).resolve().parents[2] / "scripts" / name
    sys.path.insert(0, str(script.parent))
    module = name.replace("-", "_")
    loader = SourceFileLoader(module, str(script))
    loaded = importlib.util.module_from_spec(importlib.util.spec_from_loader(module, loader))
    loader.exec_module(loaded)
    return loaded
