#!/usr/bin/env python3
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes sentencepiece.json: a small byte-pair model that PyPI's sentencepiece trained on
a text, and the ids that it gives for some texts.

    pip install sentencepiece==0.2.3 && generate_sentencepiece.py CORPUS sentencepiece.json
"""

import io
import json
import random
import sys

import sentencepiece

TEXTS = [
    "", " ", "  ", "a", " a", "Hello world", "the the  the   the", "the\nsecond\n\nline\t",
    "naïve café, ½ → 😀 日本語", "License; without-warranty!", "x" * 40, "<s>not control</s>",
    "a<sep>b", "<sep> the", "the <sep><sep>the", "TERMS AND CONDITIONS for use",
    "0123456789 3.14", "\x00\x7f", "trailing space ",
]


def random_texts(corpus):
    rng = random.Random(20261124)
    words = corpus.split()
    for _ in range(20):
        yield " ".join(rng.choice(words) for _ in range(rng.randint(1, 12)))
    for _ in range(10):
        yield "".join(rng.choice(corpus) for _ in range(30))


def main():
    corpus = open(sys.argv[1], encoding="utf-8").read()
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(corpus.splitlines()), model_writer=model, model_type="bpe",
        vocab_size=600, byte_fallback=True, normalization_rule_name="identity",
        remove_extra_whitespaces=False, add_dummy_prefix=True,
        user_defined_symbols=["<sep>"], minloglevel=2)
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())

    def kind(i):
        """GGUF's token type."""
        tests = [(processor.is_unknown, 2), (processor.is_control, 3), (processor.is_byte, 6)]
        known = next((number for test, number in tests if test(i)), 1)
        return 4 if processor.id_to_piece(i) == "<sep>" else known

    count = processor.get_piece_size()
    texts = [*TEXTS, *random_texts(corpus)]
    result = {
        "pieces": [processor.id_to_piece(i) for i in range(count)],
        "scores": [processor.get_score(i) for i in range(count)],
        "types": [kind(i) for i in range(count)],
        "texts": texts,
        "ids": [processor.encode(text) for text in texts],
    }
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump(result, file, ensure_ascii=False, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
