# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import os
import subprocess

import lit.formats
import lit.util

config.name = "Umber"
config.test_format = lit.formats.ShTest(True)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.umber_build_dir, "test")

config.environment["PATH"] = os.pathsep.join(
    [config.umber_tools_dir, config.llvm_tools_dir, os.environ.get("PATH", "")]
)
# A variable that no CHECK-LABEL carries over must not match by accident.
config.environment["FILECHECK_OPTS"] = "-enable-var-scope --allow-unused-prefixes=false"
for name in ("HOME", "UMBER_TEST_MODEL", "ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS"):
    if name in os.environ:
        config.environment[name] = os.environ[name]

config.substitutions.append(("%python", config.python_executable))
config.substitutions.append(("%models", os.path.join(config.umber_source_dir, "models")))
config.substitutions.append(("%inputs", os.path.join(config.test_source_root, "Inputs")))

# Tests on the real model: scripts/test fetches it and says where it is.
if os.environ.get("UMBER_TEST_MODEL"):
    config.available_features.add("test-model")
    config.substitutions.append(("%test_model", os.environ["UMBER_TEST_MODEL"]))
# A browser and what drives it, which Debian's Python has and others may not have.
for python in (config.python_executable, "/usr/bin/python3"):
    if lit.util.which("chromedriver") and not subprocess.call(
            [python, "-c", "import selenium"], stderr=subprocess.DEVNULL):
        config.available_features.add("browser")
        config.substitutions.append(("%browser_python", python))
        break
if config.umber_sanitize:
    config.available_features.add("sanitizer")
if config.umber_driver_vulkan == "ON":
    config.available_features.add("vulkan-driver")
# A device for the code of GPUs, and what checks it.
if config.umber_driver_vulkan == "ON":
    listed = subprocess.run([os.path.join(config.umber_tools_dir, "umber-run"), "--list-devices"],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    if "vulkan:0" in listed.stdout:
        config.available_features.add("vulkan")
if config.umber_soft_cuda:
    config.available_features.add("soft-cuda")
    config.substitutions.append(("%soft_cuda", config.umber_soft_cuda))
if lit.util.which("spirv-val"):
    config.available_features.add("spirv-val")
ptxas = lit.util.which("ptxas") or lit.util.which("ptxas", "/usr/local/cuda/bin")
if ptxas:
    config.available_features.add("ptxas")
    config.substitutions.append(("%ptxas", ptxas))
if lit.util.which("qemu-aarch64"):
    config.available_features.add("qemu-aarch64")
