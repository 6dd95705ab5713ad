#!/usr/bin/env python3
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes again the ids in smollm2-ids.json, for the texts that it holds.

The ids are those of Hugging Face's `tokenizers`, set up from the vocabulary and
merges of the GGUF file; llama.cpp gave the same for all texts but one, in which
a byte without a token stands between two that merge. Needs PyPI's `gguf` and
`tokenizers`; only for SmolLM2's pre-tokenizer.

usage: generate_ids.py MODEL.gguf smollm2-ids.json
"""

import json
import sys

import gguf
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

CONTROL = 3


def load(path):
    fields = gguf.GGUFReader(path).fields

    def get(key):
        return fields["tokenizer.ggml." + key].contents()

    if get("pre") != "smollm":
        sys.exit(f"{path}: expected the pre-tokenizer smollm, found {get('pre')}")
    tokens = get("tokens")
    merges = [tuple(merge.split(" ")) for merge in get("merges")]
    ids = {token: index for index, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(ids, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.add_special_tokens(
        [
            AddedToken(token, special=True, normalized=False)
            for token, kind in zip(tokens, get("token_type"))
            if kind == CONTROL
        ]
    )
    return tokenizer


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: generate_ids.py MODEL.gguf smollm2-ids.json")
    tokenizer = load(sys.argv[1])
    with open(sys.argv[2], encoding="utf-8") as file:
        cases = json.load(file)
    lines = []
    for case in cases:
        ids = tokenizer.encode(case["text"], add_special_tokens=False).ids
        lines.append(json.dumps({"text": case["text"], "ids": ids}))
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write("[\n" + ",\n".join(lines) + "\n]\n")


if __name__ == "__main__":
    main()
