// Two reports side by side: in total, and kernel by kernel.

import { takeFile } from "umber/files.js";
import * as format from "umber/format.js";
import { bytes, joules, streamedBits } from "umber/report.js";
import { summarize } from "umber/totals.js";

const TOTALS = [
  ["ttft", "Time to first token, ms", format.ms],
  ["speed", "Tokens/s", format.number],
  ["energy", "Energy per token, mJ", format.mj],
  ["power", "Power, W", format.number],
  ["bytes", "DRAM per token, MB", format.megabytes],
  ["size", "Package, MB", format.megabytes],
  ["bits", "Bits per weight", format.number],
  ["loss", "Predicted loss", format.number],
];

const KERNEL = [
  ["latency", "ms", (kernel) => kernel.seconds, format.ms],
  ["dram", "DRAM, MB", (kernel) => bytes(kernel.dram), format.megabytes],
  ["energy", "mJ", (kernel) => joules(kernel.energy ?? {}), format.mj],
  ["bits", "bits", streamedBits, (value) => format.number(value, 3)],
];

function row(header, ...cells) {
  return format.element("tr", {}, format.element("td", { class: "text" }, header),
    ...cells.map((cell) => format.element("td", {}, cell)));
}

function head(...titles) {
  return format.element("thead", {}, format.element("tr", {},
    ...titles.map((title, at) => format.element("th", { class: at === 0 ? "text" : "" }, title))));
}

function compareTotals(report, other) {
  const a = summarize(report, null);
  const b = summarize(other, null);
  return format.element("table", { class: "plain", id: "compare-totals" },
    head("Total", "this", "other", "change"),
    format.element("tbody", {}, ...TOTALS.filter(([key]) => Number.isFinite(a[key]) || Number.isFinite(b[key]))
      .map(([key, name, print]) => row(name, print(a[key]), print(b[key]), format.change(b[key], a[key])))));
}

/** Kernels that differ by more than a part in a thousand, by name. */
function compareKernels(phase, other) {
  const names = new Map(other.kernels.map((kernel) => [kernel.name, kernel]));
  const changed = [];
  let same = 0;
  for (const kernel of phase.kernels) {
    const match = names.get(kernel.name);
    names.delete(kernel.name);
    if (match && KERNEL.every(([, , get]) => Math.abs(get(match) - get(kernel)) <= 1e-3 * Math.abs(get(kernel)) ||
        (Number.isNaN(get(match)) && Number.isNaN(get(kernel))))) {
      same += 1;
      continue;
    }
    changed.push([kernel, match]);
  }
  for (const kernel of names.values()) {
    changed.push([null, kernel]);
  }
  const size = ([a, b]) => Math.abs((b?.seconds ?? 0) - (a?.seconds ?? 0));
  changed.sort((a, b) => size(b) - size(a));
  const table = format.element("table", { id: "compare-kernels" },
    head(`Kernel, ${phase.name}`, ...KERNEL.flatMap(([, unit]) => [`this, ${unit}`, `other, ${unit}`]), "Δ ms"),
    format.element("tbody", {}, ...changed.map(([a, b]) => {
      const delta = (b?.seconds ?? 0) - (a?.seconds ?? 0);
      return row((a ?? b).name,
        ...KERNEL.flatMap(([, , get, print]) => [a ? print(get(a)) : "not there", b ? print(get(b)) : "not there"]),
        format.element("span", { class: delta < 0 ? "good" : "bad" }, `${delta > 0 ? "+" : "−"}${format.ms(Math.abs(delta))}`));
    })));
  return [format.element("p", { class: "hint" }, `${changed.length} kernels differ, ${same} do not.`),
    format.element("div", { class: "scroll" }, table)];
}

export function showCompare(store, target, file) {
  file.addEventListener("change", () => {
    if (file.files[0]) {
      takeFile(store, file.files[0]);
    }
    file.value = "";
  });
  const update = () => {
    const { report, other, phase } = store;
    if (!other) {
      target.replaceChildren();
      return;
    }
    const match = other.phases.find((at) => at.name === phase.name) ??
      other.phases.find((at) => at.kind === phase.kind);
    target.replaceChildren(
      format.element("p", {}, `This: ${report.package.file} on ${report.device.name}; ` +
        `other: ${other.package.file} on ${other.device.name}`),
      compareTotals(report, other),
      ...(match
        ? compareKernels(phase, match)
        : [format.element("p", { class: "bad" }, `The other report has no phase like ${phase.name}.`)]));
  };
  store.listen(["other", "phase"], update);
  update();
}
