#!/usr/bin/env python3
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes one page of its sources, and a C++ file that holds it.

    bundle.py PAGE CHARTS OUT.cpp

PAGE is the folder with index.html, the sheets and the modules; CHARTS is the
library's script. Modules stand in the page as data: addresses, which an import
map gives the names that they import one another by. What is left to fill in is
the report's data.
"""

import base64
import json
import pathlib
import sys

STYLES = ["base.css", "layout.css", "table.css", "print.css"]
DATA = "@data@"
# Compilers limit the length of one literal.
CHUNK = 8000


def literal(text):
    assert ')page"' not in text
    chunks = [text[i : i + CHUNK] for i in range(0, len(text), CHUNK)]
    return "\n".join(f'R"page({chunk})page"' for chunk in chunks)


def main():
    page, charts, out = map(pathlib.Path, sys.argv[1:])
    read = lambda name: (page / name).read_text(encoding="utf-8")
    modules = {
        f"umber/{path.name}": "data:text/javascript;base64,"
        + base64.b64encode(path.read_bytes()).decode()
        for path in sorted(page.glob("*.js"))
    }
    script = charts.read_text(encoding="utf-8")
    # It would end the element that holds it.
    assert "</script" not in script.lower()
    parts = {
        "@styles@": "".join(map(read, STYLES)),
        "@notice@": read("NOTICE.txt"),
        "@charts@": script,
        "@modules@": json.dumps({"imports": modules}),
    }
    before, after = read("index.html").split(DATA)
    for name, text in parts.items():
        assert (before + after).count(name) == 1, name
        before, after = before.replace(name, text), after.replace(name, text)
    out.write_text(
        '#include "tools/umber-report/Page.h"\n\n'
        f"const std::string_view umber::tools::kPageBegin =\n{literal(before)};\n"
        f"const std::string_view umber::tools::kPageEnd =\n{literal(after)};\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
