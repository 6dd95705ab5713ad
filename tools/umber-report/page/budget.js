// The budget: goals, and the widths that reach them.

import * as format from "umber/format.js";
import { say } from "umber/files.js";
import { isMeasured, solveBits, solveSpeed } from "umber/solver.js";
import { summarize } from "umber/totals.js";

export function showBudget(store, target) {
  const { report } = store;
  if (report.matrices.length === 0 || !report.phases.some((phase) => phase.costs?.length)) {
    return;
  }
  const base = summarize(report, null);
  const box = (id, value, min, max) =>
    format.element("input", { type: "number", id, value, min, max, step: "any", "aria-label": id });
  const speed = box("goal-speed", Math.round((base.speed ?? 30) * 1.1), 0.001, 1e6);
  const watts = box("goal-watts", Math.ceil((base.power ?? 2) * 1.2 * 10) / 10, 0.001, 1e4);
  const bits = box("goal-bits", 3.5, 1, 16);
  const widths = [1, 2, 3, 4, 6, 8].map((width) => {
    const used = report.matrices.some((matrix) => matrix.is_body && matrix.bits === width);
    const check = format.element("input", { type: "checkbox", value: width, id: `width-${width}`, checked: used || width === 2 || width === 4 });
    return { width, check, label: format.element("label", { for: `width-${width}` }, check, ` ${width}`) };
  });
  const result = format.element("p", { id: "budget-result", "aria-live": "polite" });
  const allowed = () => new Set(widths.filter(({ check }) => check.checked).map(({ width }) => width));
  const solve = (goal, solver) => {
    say("");
    if (allowed().size === 0) {
      say("Budget: expected a width at least that matrices may have");
      return;
    }
    const started = performance.now();
    const found = solver();
    if (!found) {
      result.className = "bad";
      result.textContent = `${goal}: these widths do not reach it, not even the smallest.`;
      result.dataset.reached = "false";
      return;
    }
    store.setBits(found.flatMap((width, index) => (width === undefined ? [] : [[index, width]])));
    const after = summarize(report, store.changes);
    result.className = "";
    result.dataset.reached = "true";
    result.textContent =
      `${goal}: ${format.number(after.bits)} bits per weight, ${format.number(after.speed)} tokens/s, ` +
      `${format.number(after.power)} W` +
      (Number.isFinite(after.loss) ? `, predicted loss ${format.number(after.loss)} (${format.number(base.loss)} before)` : "") +
      `; ${store.changes.bits.size} matrices changed, found in ${format.number(performance.now() - started, 2)} ms.`;
  };
  target.append(format.element("fieldset", {}, format.element("legend", {}, "Budget"),
    format.element("div", { class: "tools" },
      "Reach", speed, "tokens/s within", watts, "W",
      format.element("button", {
        type: "button", id: "solve-speed",
        onclick: () => solve(`${speed.value} tokens/s within ${watts.value} W`, () =>
          solveSpeed(report, speed.valueAsNumber, watts.valueAsNumber, allowed(), store.changes)),
      }, "Propose"),
      "or the lowest loss at", bits, "bits",
      format.element("button", {
        type: "button", id: "solve-bits",
        onclick: () => solve(`${bits.value} bits per weight`, () => solveBits(report, bits.valueAsNumber, allowed())),
      }, "Propose"),
      "with widths of", ...widths.map(({ label }) => label)),
    format.element("p", { class: "hint" }, isMeasured(report)
      ? "Losses are the compiler's predictions, tr(G E H Eᵀ) summed over matrices; widths that it has not measured are left out."
      : "This model has no measured losses (it has shapes only, or a recipe): each bit fewer is taken to make errors four times as large."),
    result));
}
