#!/usr/bin/env python3
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks that a page of docs/ has every option of a tool, and no other.

    options_page.py TOOL PAGE
"""

import pathlib
import re
import subprocess
import sys

GENERIC = {"-h", "--help", "--help-list", "--version"}


def main():
    tool, page = sys.argv[1], pathlib.Path(sys.argv[2]).read_text(encoding="utf-8")
    shown = subprocess.run([tool, "--help"], check=True, stdout=subprocess.PIPE, text=True)
    known = set(re.findall(r"^  (--?[a-z][a-z-]*)", shown.stdout, re.MULTILINE)) - GENERIC
    listed = set(re.findall(r"^\| `(--?[a-z][a-z-]*)", page, re.MULTILINE))
    assert known and known == listed, f"only in one of both: {sorted(known ^ listed)}"


if __name__ == "__main__":
    main()
