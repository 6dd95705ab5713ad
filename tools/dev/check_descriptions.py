#!/usr/bin/env python3
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Fails unless every op, type, attribute and pass has a summary and a description,
and every op an example.

    check_descriptions.py ROOT
"""

import pathlib
import re
import sys

DEFINITION = re.compile(
    r"^def (\w+) *: *(Umber_(?:Param(?:User)?)?Op|Umber_Type|Umber_Attr|"
    r"Op|NPU_\w+Op|NPU_Attr|Pass)<.*?^}",
    re.M | re.S)


def problems(path):
    for match in DEFINITION.finditer(path.read_text()):
        name, kind, body = match[1], match[2], match[0]
        for field in ("summary", "description"):
            found = re.search(rf'let {field} = ("[^"]+"|\[\{{\s*\S.*?\}}\])', body, re.S)
            if not found:
                yield f"{path}: {name}: expected a {field}, found none"
        if kind.endswith("Op") and "Example:" not in body:
            yield f"{path}: {name}: expected an example, found none"


def main():
    root = pathlib.Path(sys.argv[1])
    files = [path for part in ("dialects", "passes", "targets")
             for path in sorted((root / part).rglob("*.td"))]
    count = sum(len(DEFINITION.findall(path.read_text())) for path in files)
    found = [problem for path in files for problem in problems(path)]
    print("\n".join(found) or f"{count} definitions are described")
    sys.exit(1 if found or count == 0 else 0)


if __name__ == "__main__":
    main()
