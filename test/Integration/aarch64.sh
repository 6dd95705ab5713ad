#!/bin/sh
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The 64-bit ARM half under qemu: aarch64.sh BUILD-FOLDER PACKAGES. Cross-builds the
# runtime into BUILD-FOLDER and runs its own tests, the conformance suite on PACKAGES, and
# code that umber-compile (found in PATH) compiled, against umber-interp.
# Exits with 77, which ctest takes for skipped, without qemu or the sysroot.

set -eu
source=$(cd "$(dirname "$0")/../.." && pwd)
build=$1
packages=$2
cache=${UMBER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/umber}
sysroot=${UMBER_AARCH64_SYSROOT:-$cache/sysroot-aarch64}
if ! command -v qemu-aarch64 >/dev/null || [ ! -d "$sysroot/usr/include" ]; then
  echo "skipped: no qemu-aarch64, or no $sysroot (scripts/setup makes both)"
  exit 77
fi

cd "$source"
cmake --preset aarch64 -B "$build"
cmake --build "$build" --parallel 2
ctest --test-dir "$build" --output-on-failure --no-tests=error

run="qemu-aarch64 -L $sysroot $build/bin"
UMBER_CTS_PACKAGE=$packages $run/umber-cts --gtest_brief=1
isa=aarch64
agree() {
  folder=$1
  shift
  python3 "$source/test/CPU/agree.py" "$build/agree/$folder" \
    --isa "$isa" --run "$run/umber-run" "$@"
}
agree a
# Nothing here is a multiple of a vector or a panel.
agree b --arch qwen2 --hidden 72 --heads 8 --kv-heads 2 --head-dim 18 --ffn 97 --bias
# Every width of encoded weights, with quantized inputs and without.
for bits in 1 2 3 4 6 8; do
  weights="umber-palettize{bits=16 choices=$bits derived=DERIVED},umber-quantize-embeddings{bits=8 derived=DERIVED}"
  agree "e$bits" --passes "$weights" --hidden 74 --heads 3 --kv-heads 1 --head-dim 18 --ffn 133
  agree "q$bits" --passes "$weights,umber-quantize-activations" --hidden 96 --heads 6 --kv-heads 2 \
    --head-dim 16 --ffn 130
done
# The last width's products once more, where they differ.
isa=aarch64-i8mm
agree i8mm --passes "$weights,umber-quantize-activations" --hidden 96 --heads 6 --kv-heads 2 \
  --head-dim 16 --ffn 130
