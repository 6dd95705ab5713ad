# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the scripts share that measure Umber beside another engine."""

import contextlib
import fcntl
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Failure(Exception):
    """What went wrong, in one line for a person."""


def say(text):
    print(f"{Path(sys.argv[0]).name}: {text}", file=sys.stderr)


def run(command, what, log=None, **options):
    """Runs a command; its output goes to the file `log`, or to stderr."""
    try:
        if log:
            with open(log, "a") as out:
                done = subprocess.run(command, stdout=out, stderr=out, **options)
        else:
            done = subprocess.run(command, stdout=sys.stderr, **options)
    except OSError as error:
        raise Failure(f"cannot {what}: {error}") from None
    if done.returncode:
        where = f"; see {log}" if log else ""
        raise Failure(f"cannot {what}: {command[0]} ended with {done.returncode}{where}")


def is_newer(path, sources):
    """Whether a file is there that was made after all it was made from."""
    return path.is_file() and all(path.stat().st_mtime >= s.stat().st_mtime for s in sources)


def make(path, sources, command, what):
    """Makes a file with the command that `command` returns for its name, unless
    it is there and newer than its sources."""
    if is_newer(path, sources):
        return
    say(f"making {path.name}")
    with tempfile.TemporaryDirectory(dir=path.parent) as work:
        partial, log = Path(work, path.name), path.with_name(f"{path.name}.log")
        run(command(partial), what, log)
        partial.rename(path)
        log.unlink()


@contextlib.contextmanager
def locked(folder):
    """While this lasts, no other script has the folder locked."""
    with open(folder / "lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another script that uses {folder}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def cache_folder():
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(os.environ.get("UMBER_CACHE") or Path(base) / "umber")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def processor():
    """The processor's name and its feature flags, as Linux tells them."""
    facts = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        facts.setdefault(key.strip(), value.strip())
    name = facts.get("model name", "unknown processor")
    if "cpu family" in facts:
        name += f" (family {facts['cpu family']}, model {facts.get('model')})"
    return name, facts.get("flags") or facts.get("Features", "")


def test_model():
    done = subprocess.run([ROOT / "scripts/fetch-model"], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise Failure("scripts/fetch-model failed")
    return Path(done.stdout.strip())
