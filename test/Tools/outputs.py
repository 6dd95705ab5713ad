#!/usr/bin/env python3
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What every tool does when it cannot write.

    outputs.py FOLDER

A folder that is not there, one that may not be written to, a name that is a folder's, a
disk that is full from the first byte or after some: one line that names the file, exit
status 1, no new file, and what stood under the name stays as it was.
"""

import pathlib
import resource
import shutil
import signal
import subprocess
import sys

OLD = b"what was there before"


def limit_files(size):
    """No file can grow beyond so many bytes."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def refuse(command, words, **how):
    done = subprocess.run(command, stderr=subprocess.PIPE, timeout=300,
                          **{"stdout": subprocess.DEVNULL, **how})
    lines = done.stderr.decode(errors="replace").splitlines()
    assert done.returncode == 1, f"{command}: status {done.returncode}, {lines}"
    assert len(lines) == 1, f"{command}: {lines}"
    assert words in lines[0], f"{command}: expected '{words}' in: {lines[0]}"


def writers(folder):
    """Commands that write a file, whose name is to follow."""
    gguf, ir, package = (str(folder / name) for name in ("m.gguf", "m.mlir", "m.umb"))
    short = ["--chunks", "1", "-c", "16"]
    compile_ = ["umber-compile", gguf, "--max-tokens=8", "--isa=x86-64-v3"]
    yield "package", [*compile_, "-o"]
    for emit in ("mlir", "llvm", "asm", "obj"):
        yield emit, [*compile_, f"--emit={emit}", "-o"]
    yield "run", ["umber-run", package, "-p", "the cat", "-n", "1", "--logits"]
    yield "run-trace", ["umber-run", package, "-p", "the cat", "-n", "1", "--json",
                        "--profile-trace"]
    yield "interp", ["umber-interp", ir, "--prompt-ids", "1,2", "-n", "1", "--logits"]
    yield "adapter", ["umber-adapter", str(folder / "peft"), "-o"]
    eval_ = ["umber-eval", package, "-f", str(folder / "text"), *short]
    yield "eval-base", [*eval_, "--save-base"]
    yield "eval-scores", [*eval_, "--save-scores"]


def printers(folder):
    """Commands that write to standard output."""
    gguf, ir, package = (str(folder / name) for name in ("m.gguf", "m.mlir", "m.umb"))
    yield ["umber-compile", gguf, "--emit=mlir", "-o", "-"]
    yield ["umber-interp", ir, "--prompt-ids", "1,2", "-n", "1"]
    yield ["umber-run", package, "-p", "the cat", "-n", "1", "--json"]
    yield ["umber-bench", package, "-p", "8", "-n", "1", "-r", "1"]
    yield ["umber-eval", package, "-f", str(folder / "text"), "--chunks", "1", "-c", "16"]
    yield ["umber-adapter", "info", str(folder / "peft")]
    yield ["umber-opt", ir]


def mounted(folder, options):
    """A small disk of its own, or None where mounting is not allowed."""
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder],
                          stderr=subprocess.DEVNULL)
    return folder if done.returncode == 0 else None


def check_disk(disk, commands, words):
    try:
        before = list(disk.iterdir())
        for name, command in commands:
            refuse([*command, str(disk / name)], words)
            assert list(disk.iterdir()) == before, f"{name}: left {list(disk.iterdir())}"
    finally:
        subprocess.run(["umount", disk], check=True)


def check_files(folder, commands):
    out = folder / "out"
    out.mkdir()
    (out / "folder").mkdir()
    for name, command in commands:
        missing = out / "no" / "such" / "folder"
        refuse([*command, str(missing)], f"{missing}: ")
        refuse([*command, str(out / "folder")], f"{out / 'folder'}: ")
        if name.startswith(("run", "eval")):
            # The limit would meet the copy of the code that they run first.
            continue
        path = out / "file"
        subprocess.run([*command, str(path)], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        size = path.stat().st_size
        path.write_bytes(OLD)
        # All but the last byte has room.
        refuse([*command, str(path)], f"{path}: cannot write: File too large",
               preexec_fn=lambda: limit_files(size - 1))
        assert path.read_bytes() == OLD, f"{name}: lost the old file"
        path.unlink()
        assert [p.name for p in out.iterdir()] == ["folder"], name


def main():
    folder = pathlib.Path(sys.argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    makers = pathlib.Path(__file__).parent.parent / "tools"
    for command in (
            [sys.executable, makers / "make_model.py", folder / "m.gguf"],
            [sys.executable, makers / "make_adapter.py", folder / "peft"],
            ["umber-compile", folder / "m.gguf", "--compile-to=quantize",
             "--emit=mlir", "-o", folder / "m.mlir"],
            ["umber-compile", folder / "m.gguf", "--max-tokens=8", "-o", folder / "m.umb"]):
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    (folder / "text").write_text("the cat and the other cat sat in the sun; " * 10)

    commands = list(writers(folder))
    check_files(folder, commands)
    for command in printers(folder):
        with open("/dev/full", "wb") as full:
            refuse(command, "No space left on device", stdout=full)
    if disk := mounted(folder / "full", "size=4k"):
        (disk / "filler").write_bytes(bytes(4096))
        check_disk(disk, commands, "No space left on device")
    if disk := mounted(folder / "read-only", "ro"):
        check_disk(disk, commands, "Read-only file system")


if __name__ == "__main__":
    main()
