#!/usr/bin/env python3
# Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Trains two small LoRA adapters for the test model with PEFT, and writes what PEFT
computes with them: golden values for Umber's adapters.

    make_peft.py MODEL.gguf TEXT

MODEL is what scripts/fetch-model gives; TEXT is Karpathy's tinyshakespeare.txt, which
is in the public domain. The model is dequantized to f32 by transformers, and checked:
its logits have to be those of smollm2-135m-last-logits.f32, which come from another
implementation. Writes beside this script

    peft/verse     rank 4, all seven projections of all layers: the text
    peft/shout     rank-stabilized, ranks and alphas by pattern, queries and values of
                   the last ten layers: the text in capitals
    peft.json      each adapter's loss on text it was not trained on, without and with
                   it; and for prompts and settings of the two the tokens of greedy
                   decoding, by how much each was decided, and logits of the prompt's
                   last position: the largest, and every 48th

Adapters' matrices are rounded to f16 before anything is computed with them, so that
files are small and what is computed is exact. Takes about ten minutes on one core, and
needs these, from PyPI:

    torch==2.15.0 transformers==5.24.0 peft==0.21.2 accelerate==1.15.0
    gguf==0.19.0 safetensors==0.8.0 numpy==2.4.6
"""

import argparse
import contextlib
import hashlib
import json
import pathlib
import shutil
import warnings

import numpy as np
import peft
import torch
import transformers
from peft.tuners.lora import LoraLayer

HERE = pathlib.Path(__file__).parent
TEXT_SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
STEPS = 24        # of greedy decoding
LARGEST = 32      # logits that are kept
STRIDE = 48       # and every so manieth
WINDOW, BATCH = 96, 2
VERSE_PROMPT = "KING HENRY:\nGood morrow, my lords. What news"
PROJECTIONS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj",
               "down_proj"]

ADAPTERS = {
    "verse": dict(
        config=dict(r=4, lora_alpha=8, target_modules=PROJECTIONS),
        steps=40, rate=2e-3, change=str),
    "shout": dict(
        config=dict(r=8, lora_alpha=8, use_rslora=True,
                    target_modules=["q_proj", "v_proj"],
                    layers_to_transform=None,
                    rank_pattern={r"layers\.2\d\.self_attn\.v_proj": 4},
                    alpha_pattern={"q_proj": 12}),
        steps=30, rate=4e-3, change=str.upper),
}
# Which adapters are active, in this order, and each one's scale.
SETTINGS = [[], [("verse", 1.0)], [("verse", 0.5)], [("shout", 1.0)],
            [("verse", 1.0), ("shout", 0.75)]]


class Text:
    """Token ids of a text, the last twentieth of which is for measuring."""

    def __init__(self, tokenizer, text):
        cut = len(text) * 19 // 20
        self.training = self.encode(tokenizer, text[:cut][:400000])
        self.measuring = self.encode(tokenizer, text[cut:])

    @staticmethod
    def encode(tokenizer, text):
        return torch.tensor(tokenizer(text, add_special_tokens=False)["input_ids"])

    def batch(self, generator):
        starts = torch.randint(len(self.training) - WINDOW, (BATCH,), generator=generator)
        return torch.stack([self.training[s:s + WINDOW] for s in starts])

    def measure(self, model):
        """Mean loss in nats of a token, over 16 windows."""
        windows = self.measuring[:16 * WINDOW].view(16, WINDOW)
        with torch.no_grad():
            return float(np.mean([model(input_ids=w[None], labels=w[None]).loss
                                  for w in windows]))


def load(path):
    folder, name = path.parent, path.name
    options = dict(gguf_file=name, dtype=torch.float32)
    model = transformers.AutoModelForCausalLM.from_pretrained(
        folder, attn_implementation="eager", **options)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, gguf_file=name)
    return model.eval(), tokenizer


def last_logits(model, ids):
    with torch.no_grad():
        return model(input_ids=torch.tensor([ids])).logits[0, -1]


def check_base(model, cases):
    """That the model is what its file says: queries' and keys' rows in order, the base
    of the rotary embedding, the norms' epsilon."""
    golden = np.fromfile(HERE / "smollm2-135m-last-logits.f32", "<f4")
    golden = golden.reshape(len(cases), -1)
    worst = 0.0
    for case, expected in zip(cases, golden):
        found = last_logits(model, case["prompt_ids"]).numpy()
        worst = max(worst, float(np.abs(found - expected).max()))
    print(f"base: largest difference to the golden logits {worst:.2e}", flush=True)
    assert worst < 2e-4, worst
    return worst


def round_to_f16(model, name):
    for key, parameter in model.named_parameters():
        if f".{name}." in key:
            parameter.data = parameter.data.half().float()


def train(model, name, text, steps, rate):
    before = text.measure(model)
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
    generator = torch.Generator().manual_seed(1)
    for step in range(steps):
        batch = text.batch(generator)
        loss = model(input_ids=batch, labels=batch).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        print(f"{name}: step {step}, loss {loss.item():.3f}", flush=True)
    round_to_f16(model, name)
    after = text.measure(model)
    print(f"{name}: loss {before:.3f} without, {after:.3f} with", flush=True)
    assert after < before - 0.2, "the adapter has learned too little"
    return {"loss_without": round(before, 4), "loss_with": round(after, 4),
            "steps": steps}


def save(model, name):
    """As PEFT does, with matrices of f16 and without where the model was."""
    out = HERE / "peft" / name
    shutil.rmtree(out, ignore_errors=True)
    config = model.peft_config[name]
    base = config.base_model_name_or_path
    config.base_model_name_or_path = "HuggingFaceTB/SmolLM2-135M-Instruct"
    state = peft.get_peft_model_state_dict(model, adapter_name=name)
    state = {key: value.half().contiguous() for key, value in state.items()}
    model.save_pretrained(HERE / "peft", selected_adapters=[name], state_dict={
        key.replace(".weight", f".{name}.weight"): value for key, value in state.items()})
    config.base_model_name_or_path = base
    (out / "README.md").unlink(missing_ok=True)
    (HERE / "peft" / "README.md").unlink(missing_ok=True)


@contextlib.contextmanager
def active(model, setting):
    """PEFT with these adapters at these scales."""
    if not setting:
        with model.disable_adapter():
            yield
        return
    model.base_model.set_adapter([name for name, _ in setting])
    layers = [m for m in model.modules() if isinstance(m, LoraLayer)]
    for layer in layers:
        for name, scale in setting:
            layer.set_scale(name, scale)
    yield
    for layer in layers:
        for name, _ in setting:
            layer.set_scale(name, 1.0)


def decode(model, ids):
    """Greedily, without a cache."""
    ids, margins = list(ids), []
    for _ in range(STEPS):
        best = torch.topk(last_logits(model, ids), 2)
        ids.append(int(best.indices[0]))
        margins.append(round(float(best.values[0] - best.values[1]), 4))
    return ids[-STEPS:], margins


def golden(model, prompts):
    results = []
    for setting in SETTINGS:
        with active(model, setting):
            for prompt, ids in prompts:
                logits = last_logits(model, ids)
                kept = set(range(0, len(logits), STRIDE))
                kept.update(torch.topk(logits, LARGEST).indices.tolist())
                tokens, margins = decode(model, ids)
                results.append({
                    "adapters": setting, "prompt": prompt, "prompt_ids": ids,
                    "greedy_ids": tokens, "margins": margins,
                    "logits": {str(k): float(f"{logits[k]:.8g}") for k in sorted(kept)}})
        print(f"{setting}: done", flush=True)
    return results


def write_json(path, value, results):
    """A line for each result, so that the file can be looked at."""
    lines = ",\n".join("  " + json.dumps(result) for result in results)
    head = json.dumps(value, indent=1)[:-2]
    path.write_text(f'{head},\n "cases": [\n{lines}\n ]\n}}\n')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("text", type=pathlib.Path)
    args = parser.parse_args()
    data = args.text.read_bytes()
    assert hashlib.sha256(data).hexdigest() == TEXT_SHA256, "another text"
    torch.set_num_threads(1)
    torch.manual_seed(1)
    warnings.filterwarnings("ignore", category=UserWarning)

    model, tokenizer = load(args.model)
    cases = json.loads((HERE / "smollm2-135m-greedy.json").read_text())
    about = {"versions": {m.__name__: m.__version__ for m in (torch, transformers, peft)},
             "base_difference": check_base(model, cases)}
    layers = model.config.num_hidden_layers
    ADAPTERS["shout"]["config"]["layers_to_transform"] = list(range(layers - 10, layers))

    losses = {}
    for name, how in ADAPTERS.items():
        config = peft.LoraConfig(task_type="CAUSAL_LM", **how["config"])
        if isinstance(model, peft.PeftModel):
            model.add_adapter(name, config)
            model.set_adapter(name)
        else:
            model = peft.get_peft_model(model, config, adapter_name=name)
        text = Text(tokenizer, how["change"](data.decode()))
        losses[name] = train(model, name, text, how["steps"], how["rate"])
        save(model, name)
    about["adapters"] = losses

    prompts = [(case["prompt"], case["prompt_ids"]) for case in (cases[0], cases[6])]
    prompts.append((VERSE_PROMPT, Text.encode(tokenizer, VERSE_PROMPT).tolist()))
    write_json(HERE / "peft.json", about, golden(model, prompts))


if __name__ == "__main__":
    main()
