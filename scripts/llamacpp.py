# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""llama.cpp, for the scripts that compare Umber with it: the one inside
llama-cpp-python's source distribution, built natively."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

from measuring import Failure, locked, make, processor, run, say

NAME, VERSION = "llama-cpp-python", "0.3.36"
SDIST_SHA256 = "832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e"
TOOLS = ["llama-bench", "llama-quantize", "llama-imatrix", "llama-perplexity"]

# llama.cpp's defaults, except: its own threads instead of whichever OpenMP is
# installed, no parts that these tools do not need, and no compiler cache,
# which cannot tell one -march=native from another.
OPTIONS = [
    "-DCMAKE_BUILD_TYPE=Release",
    "-DCMAKE_C_COMPILER=clang-22",
    "-DCMAKE_CXX_COMPILER=clang++-22",
    "-DGGML_OPENMP=OFF",
    "-DGGML_CCACHE=OFF",
    "-DLLAMA_BUILD_TESTS=OFF",
    "-DLLAMA_BUILD_EXAMPLES=OFF",
    "-DLLAMA_BUILD_SERVER=OFF",
    "-DLLAMA_BUILD_APP=OFF",
    "-DLLAMA_BUILD_UI=OFF",
    "-DLLAMA_USE_PREBUILT_UI=OFF",
]
NATIVE = ["-DGGML_NATIVE=ON"]
# What x86-64-v3 has, on a processor that has more.
AVX2 = ["-DGGML_NATIVE=OFF"] + [f"-DGGML_{x}=ON" for x in ("SSE42", "AVX", "AVX2", "FMA", "F16C", "BMI2")]

# pip asks a source distribution's build backend for its metadata even when it
# only downloads. This stands in for that backend, so that nothing is installed
# or built for it.
BACKEND = f"""
import os

def prepare_metadata_for_build_wheel(directory, config_settings=None):
    name = "{NAME.replace("-", "_")}-{VERSION}.dist-info"
    os.makedirs(os.path.join(directory, name))
    with open(os.path.join(directory, name, "METADATA"), "w") as file:
        file.write("Metadata-Version: 2.1\\nName: {NAME}\\nVersion: {VERSION}\\n")
    return name
"""


def fetch(folder):
    """Puts llama.cpp's sources into folder/src."""
    say(f"fetching {NAME} {VERSION}'s source distribution from PyPI")
    with tempfile.TemporaryDirectory(dir=folder) as work:
        backend = Path(work, "scikit_build_core")
        backend.mkdir()
        (backend / "__init__.py").touch()
        (backend / "build.py").write_text(BACKEND)
        # With a hash in the requirement, pip refuses any other file.
        requirements = Path(work, "requirements.txt")
        requirements.write_text(f"{NAME}=={VERSION} --hash=sha256:{SDIST_SHA256}\n")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        pip += ["--no-binary=:all:", "--no-build-isolation", "--require-hashes"]
        pip += ["--dest", work, "--requirement", str(requirements)]
        run(pip, f"download {NAME} {VERSION}", env={**os.environ, "PYTHONPATH": work})
        stem = f"{NAME.replace('-', '_')}-{VERSION}"
        tree = Path(work, "tree")
        tree.mkdir()
        tar = ["tar", "-xf", str(Path(work, f"{stem}.tar.gz")), "-C", str(tree)]
        tar += ["--strip-components=3", f"{stem}/vendor/llama.cpp"]
        run(tar, f"unpack {stem}.tar.gz")
        tree.rename(folder / "src")


def build(cache, avx2=False):
    """Fetches and builds llama.cpp unless it is there; returns its programs'
    folder. A native build serves only the processor that it was made on; with
    `avx2` it is one for AVX2 processors."""
    folder = cache / f"{NAME}-{VERSION}"
    folder.mkdir(exist_ok=True)
    with locked(folder):
        return build_in(folder, avx2)


def build_in(folder, avx2):
    suffix = "-avx2" if avx2 else ""
    build, stamp, log = (folder / name for name in (f"build{suffix}", f"built{suffix}", f"build{suffix}.log"))
    options = [*OPTIONS, *(AVX2 if avx2 else NATIVE)]
    wanted = "\n".join([*options, *TOOLS, *processor(), ""])
    if stamp.is_file() and stamp.read_text() == wanted:
        return build / "bin"
    for tool in ["cmake", "ninja", "clang-22", "clang++-22", "tar"]:
        if not shutil.which(tool):
            raise Failure(f"{tool} is missing: run scripts/setup")
    if not (folder / "src").is_dir():
        fetch(folder)
    stamp.unlink(missing_ok=True)
    shutil.rmtree(build, ignore_errors=True)
    log.unlink(missing_ok=True)
    say(f"building llama.cpp, which takes minutes; its log is {log}")
    configure = ["cmake", "-S", str(folder / "src"), "-B", str(build), "-G", "Ninja"]
    run(configure + options, "configure llama.cpp", log)
    ninja = ["nice", "ninja", "-C", str(build), "-j2", *TOOLS]
    run(ninja, "build llama.cpp", log)
    stamp.write_text(wanted)
    return build / "bin"


def convert(model, converted, kind, tools, imatrix=None):
    """Converts a model to the type `kind` with llama-quantize, which weighs
    errors by the importance matrix if there is one."""
    sources = [model, imatrix] if imatrix else [model]
    command = [str(tools / "llama-quantize"), "--allow-requantize"]
    command += ["--imatrix", str(imatrix)] if imatrix else []
    make(
        converted,
        sources,
        lambda path: [*command, str(model), str(path), kind],
        f"convert {model.name} to {kind}",
    )
