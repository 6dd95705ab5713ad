// The totals, what they come from, and what the changes would make of them.

import { predict } from "umber/costmodel.js";
import * as format from "umber/format.js";
import { bodyBits, bytes, choiceOf, joules, predictedLoss, sum } from "umber/report.js";

const COLOURS = {
  weights: "#e0a458", adapters: "#7fb069", cache: "#6fa8dc", activations: "#c27ba0",
  tables: "#b4a7d6", io: "#a2a2a2", code: "#777777",
  memory: "#6fa8dc", compute: "#e0a458", vector: "#7fb069", static: "#b0b0b0",
};

function find(report, kind) {
  return report.phases.find((phase) => phase.kind === kind);
}

/** What a phase was simulated or measured to take. */
function simulated(phase) {
  return {
    seconds: phase.seconds,
    tokens: phase.tokens,
    joules: phase.energy ? joules(phase.energy) : NaN,
    bytes: bytes(phase.dram),
  };
}

/** The same with changes; exact where there are none. */
function changed(report, phase, changes) {
  const after = predict(report, phase, changes);
  if (!after) {
    return null;
  }
  return {
    seconds: after.seconds,
    tokens: after.tokens,
    joules: joules(after.energy),
    bytes: sum(Object.values(after.dram)),
  };
}

/** What a report's totals are made of, for now and with changes. */
export function summarize(report, changes) {
  const decode = find(report, "decode");
  const prefill = find(report, "prefill");
  const of = (phase) => phase && (changes ? changed(report, phase, changes) : simulated(phase));
  const d = of(decode);
  const p = of(prefill);
  const bits = (index) => changes?.bits.get(index) ?? report.matrices[index].bits;
  const size = report.matrices.reduce((all, matrix, index) => {
    // A package for an engine holds what streams.
    const before = choiceOf(matrix, matrix.bits);
    const after = choiceOf(matrix, bits(index));
    return all + (before && after ? after.stream_bytes - before.stream_bytes : 0);
  }, report.package.bytes);
  const { loss, known } = predictedLoss(report, bits);
  return {
    ttft: p?.seconds,
    promptTokens: p?.tokens,
    perPromptToken: p && p.seconds / p.tokens,
    speed: d && d.tokens / d.seconds,
    energy: d && d.joules / d.tokens,
    promptEnergy: p && p.joules / p.tokens,
    power: d && d.joules / d.seconds,
    bytes: d && d.bytes / d.tokens,
    size,
    bits: bodyBits(report, bits),
    loss: known > 0 ? loss : NaN,
  };
}

/** Name, unit, how to print, and whether more is better (1), worse (-1) or neither. */
const CARDS = [
  ["ttft", (r) => `Time to first token (${r.promptTokens ?? "–"})`, "ms", (v) => format.ms(v), -1],
  ["speed", () => "Speed", "tokens/s", (v) => format.number(v), 1],
  ["perPromptToken", () => "Per prompt token", "ms", (v) => format.ms(v), -1],
  ["energy", () => "Energy per token", "mJ", (v) => format.mj(v), -1],
  ["promptEnergy", () => "Energy per prompt token", "mJ", (v) => format.mj(v), -1],
  ["power", () => "Average power, decode", "W", (v) => format.number(v), -1],
  ["size", () => "Package", "MB", (v) => format.megabytes(v), -1],
  ["bits", () => "Bits per weight, body", "bits", (v) => format.number(v), 0],
  ["bytes", () => "DRAM per token", "MB", (v) => format.megabytes(v), -1],
  ["loss", () => "Predicted loss (KL)", "", (v) => format.number(v), -1],
];

function splitBar(title, parts, print) {
  const all = sum(Object.values(parts));
  const bar = format.element("div", { class: "bar" });
  for (const [name, value] of Object.entries(parts).sort((a, b) => b[1] - a[1])) {
    if (!(value > 0)) {
      continue;
    }
    const text = `${name} ${print(value)} (${format.percent(value / all)} %)`;
    const span = format.element("span", { title: text, "data-part": name }, text);
    span.style.width = `${(100 * value) / all}%`;
    span.style.background = COLOURS[name] ?? "#999";
    bar.append(span);
  }
  return format.element("div", { class: "split" }, format.element("div", {}, title), bar);
}

export function showTotals(store, cards, splits) {
  const { report } = store;
  const base = summarize(report, null);
  const peak = Math.max(0, ...report.phases.map((phase) => phase.scratchpad_bytes ?? 0));
  const shown = new Map();
  for (const [key, name, unit, print] of CARDS) {
    const value = base[key];
    if (value === undefined || !Number.isFinite(value)) {
      continue;
    }
    const predicted = format.element("div", { class: "predicted" });
    shown.set(key, predicted);
    cards.append(
      format.element(
        "div",
        { class: "card", "data-total": key, "data-value": value },
        format.element("div", { class: "name" }, name(base)),
        format.element("div", { class: "value" }, print(value),
          format.element("span", { class: "unit" }, unit)),
        predicted,
      ),
    );
  }
  if (peak > 0) {
    cards.append(
      format.element("div", { class: "card", "data-total": "scratchpad", "data-value": peak },
        format.element("div", { class: "name" }, "Peak scratchpad"),
        format.element("div", { class: "value" }, format.number(peak / 1024),
          format.element("span", { class: "unit" }, "KiB")),
        format.element("div", { class: "predicted" })));
  }

  const update = () => {
    const after = store.hasChanges ? summarize(report, store.changes) : null;
    for (const [key, , , print, good] of CARDS) {
      const target = shown.get(key);
      if (!target) {
        continue;
      }
      const value = after?.[key];
      const delta = after ? format.change(value, base[key]) : "";
      target.textContent = after && delta && Number.isFinite(value) ? `${print(value)}  ${delta}` : "";
      target.parentElement.toggleAttribute("data-changed", target.textContent !== "");
      target.parentElement.dataset.predicted = after && Number.isFinite(value) ? value : "";
      const better = Math.sign(value - base[key]) * good;
      target.className = `predicted ${better > 0 ? "good" : better < 0 ? "bad" : ""}`;
    }
  };
  const showSplits = () => {
    const { phase } = store;
    splits.replaceChildren(
      ...[
        phase.dram && splitBar(`DRAM bytes, ${phase.name}`, phase.dram, (v) => `${format.megabytes(v)} MB`),
        phase.energy && splitBar(`Energy, ${phase.name}`, phase.energy, (v) => `${format.mj(v)} mJ`),
      ].filter(Boolean),
    );
  };
  store.listen(["changes"], update);
  store.listen(["phase"], showSplits);
  showSplits();
  update();
}
