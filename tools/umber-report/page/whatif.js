// Changes: widths of matrices, adapters, cache, lengths, hardware.

import { parameter, predict } from "umber/costmodel.js";
import { say, takeFile } from "umber/files.js";
import * as format from "umber/format.js";
import { compileCommand, download, makeRecipe } from "umber/recipe.js";
import { matricesOf } from "umber/report.js";

const WIDTHS = [2, 3, 4, 6, 8];

/** Parameters that can be turned: name in the description, label, unit, factor. */
const HARDWARE = [
  ["dram.bytes_per_s", "DRAM bandwidth", "GB/s", 1e-9],
  ["processors.clock_hz", "Clock", "GHz", 1e-9],
  ["clock.array_hz", "Array clock", "GHz", 1e-9],
  ["clock.vector_hz", "Vector clock", "GHz", 1e-9],
  ["decoder.weights_per_s", "Table decode", "G weights/s", 1e-9],
  ["scratchpad.bytes", "Scratchpad", "KiB", 1 / 1024],
  ["energy.active_w", "Active power", "W", 1],
];

/** The matrices that a scope names. */
function matricesIn(store, scope) {
  const { report } = store;
  if (scope === "all") {
    return report.matrices.flatMap((matrix, index) => (matrix.is_body ? [index] : []));
  }
  const kernels = scope === "selection"
    ? [...store.selection]
    : report.kernels.flatMap((kernel, index) => (kernel.kind === scope ? [index] : []));
  return [...new Set(kernels.flatMap((kernel) => matricesOf(report, kernel)))];
}

function makeBits(store) {
  const { report } = store;
  const kinds = [...new Set(report.kernels.filter((kernel) => kernel.matrices.length > 0).map((kernel) => kernel.kind))];
  const scope = format.element("select", { id: "bits-scope", "aria-label": "Whose bits" },
    format.element("option", { value: "selection" }, "selected kernels"),
    format.element("option", { value: "all" }, "all of the body"),
    ...kinds.map((kind) => format.element("option", { value: kind }, `all of kind ${kind}`)));
  const buttons = WIDTHS.map((bits) =>
    format.element("button", {
      type: "button", "data-bits": bits,
      onclick: () => {
        const matrices = matricesIn(store, scope.value);
        if (matrices.length === 0) {
          say(scope.value === "selection" ? "Select kernels with weights first." : "");
          return;
        }
        say("");
        store.setBits(matrices.map((index) => [index, bits]));
      },
    }, String(bits)));
  const shown = format.element("span", { class: "hint", id: "bits-shown" });
  const showScope = () => {
    const matrices = matricesIn(store, scope.value);
    const counts = new Map();
    for (const index of matrices) {
      const bits = store.bitsOf(index);
      counts.set(bits, (counts.get(bits) ?? 0) + 1);
    }
    shown.textContent = matrices.length === 0
      ? "no matrices"
      : [...counts].sort((a, b) => a[0] - b[0]).map(([bits, count]) => `${count} of ${bits} bits`).join(", ");
  };
  scope.addEventListener("change", showScope);
  store.listen(["selection", "changes"], showScope);
  showScope();
  return format.element("fieldset", {}, format.element("legend", {}, "Bits"),
    format.element("div", { class: "tools" }, "Set", scope, "to", ...buttons, shown));
}

function input(id, label, unit, value, attributes, apply) {
  const box = format.element("input", {
    type: "number", id, value, ...attributes,
    onchange: () => {
      const entered = box.valueAsNumber;
      if (!Number.isFinite(entered) || !box.checkValidity()) {
        say(`${label}: expected ${attributes.min} to ${attributes.max}, found '${box.value}'`);
        box.value = value;
        return;
      }
      say("");
      apply(entered === value ? null : entered);
    },
  });
  return { box, label: format.element("label", { for: id }, `${label}, ${unit}`, box), value };
}

/** A control that names one of few values. */
function choice(id, label, values, value, apply) {
  const select = format.element("select", { id }, ...values.map((at) =>
    format.element("option", { value: at, selected: at === value }, String(at))));
  select.addEventListener("change", () => apply(Number(select.value) === value ? null : Number(select.value)));
  return { box: select, label: format.element("label", { for: id }, label, select), value };
}

function makeModelControls(store) {
  const { report } = store;
  const controls = [];
  const rank = report.package.adapter_rank;
  if (rank > 0) {
    controls.push(choice("rank", "Rank of adapters", [...new Set([0, 4, 8, 16, 32, 64, rank])].sort((a, b) => a - b),
      rank, (value) => store.change((changes) => (changes.rank = value))));
  }
  if (report.model.cache_bits > 0) {
    controls.push(choice("cache-bits", "Cache, bits", [8, 16], report.model.cache_bits,
      (value) => store.change((changes) => (changes.cacheBits = value))));
  }
  for (const phase of report.phases) {
    const isDecode = phase.kind === "decode";
    const counts = phase.costs?.map((point) => point.count) ?? [];
    if (counts.length > 1) {
      controls.push(input(`count-${phase.kind}`, isDecode ? "Context before the token" : "Prompt", "tokens", phase.count,
        { min: Math.min(...counts), max: Math.max(...counts), step: 1 },
        (value) => store.change((changes) => {
          if (value === null) {
            delete changes.counts[phase.kind];
          } else {
            changes.counts[phase.kind] = value;
          }
        })));
    }
  }
  return controls;
}

/** Says what changes would do to the programs, which the page has only as they are. */
function describeScratchpad(store) {
  const { report, changes } = store;
  if (report.device.kind !== "npu") {
    return "";
  }
  const peak = Math.max(...report.phases.map((phase) => phase.scratchpad_bytes ?? 0));
  const room = parameter(report, "scratchpad.bytes", changes);
  const rows = report.package.max_tokens;
  const effect = `the compiler has to take fewer than ${rows} rows in a step of the prompt, and times of prompts do not hold.`;
  if (room < peak) {
    return `These programs need ${format.number(peak / 1024)} KiB of scratchpad: with less, ${effect}`;
  }
  const isLarger =
    (changes.rank ?? 0) > report.package.adapter_rank || (changes.cacheBits ?? 0) > report.model.cache_bits;
  return isLarger && rows > 1
    ? `These programs take ${format.number(peak / 1024)} of ${format.number(room / 1024)} KiB of scratchpad; ` +
        `adapters of a higher rank and a wider cache need more. If that is too much, ${effect}`
    : "";
}

function makeHardwareControls(store) {
  const { report } = store;
  return HARDWARE.flatMap(([name, label, unit, factor]) => {
    const value = report.parameters.get(name);
    if (value === undefined || value === 0) {
      return [];
    }
    return [input(`hw-${name.replace(/[._]/g, "-")}`, label, unit, Number((value * factor).toPrecision(6)),
      { min: Number((value * factor * 0.05).toPrecision(3)), max: Number((value * factor * 20).toPrecision(3)), step: "any" },
      (entered) => {
        store.change((changes) => {
          if (entered === null) {
            delete changes.hardware[name];
          } else {
            changes.hardware[name] = entered / factor;
          }
        });
      })];
  });
}

export function showWhatIf(store, target) {
  const { report } = store;
  if (!report.phases.some((phase) => phase.costs?.length)) {
    target.append(format.element("p", { class: "hint" },
      "This report has no cost data: it shows measured kernels, or programs without a description."));
    return;
  }
  const note = format.element("p", { class: "bad", id: "scratchpad-note" });
  const model = makeModelControls(store);
  const hardware = makeHardwareControls(store);
  const took = format.element("span", { class: "hint", id: "update-time" });
  const command = format.element("code", { id: "compile-command" });
  const file = format.element("input", {
    type: "file", accept: ".json", id: "recipe-file", "aria-label": "A recipe",
    onchange: () => {
      if (file.files[0]) {
        takeFile(store, file.files[0]);
      }
      file.value = "";
    },
  });
  target.append(
    report.matrices.length > 0 ? makeBits(store) : "",
    format.element("fieldset", {}, format.element("legend", {}, "Model"),
      format.element("div", { class: "controls" }, ...model.map((control) => control.label))),
    format.element("fieldset", {}, format.element("legend", {}, "Hardware"),
      format.element("div", { class: "controls" }, ...hardware.map((control) => control.label)), note),
    format.element("div", { class: "tools" },
      format.element("button", {
        type: "button", id: "reset",
        onclick: () => {
          say("");
          store.reset();
          [...model, ...hardware].forEach((control) => (control.box.value = control.value));
        },
      }, "Undo all"),
      format.element("button", {
        type: "button", id: "export", disabled: report.matrices.length === 0,
        onclick: () => {
          const recipe = makeRecipe(report, (index) => store.bitsOf(index));
          download("recipe.json", `${JSON.stringify(recipe, null, 2)}\n`);
        },
      }, "Export recipe.json"),
      format.element("label", {}, "Load a recipe ", file), took),
    report.matrices.length > 0 ? format.element("p", { class: "hint" }, "Then: ", command) : "",
  );
  const update = () => {
    command.textContent = compileCommand(report, store.changes);
    note.textContent = describeScratchpad(store);
  };
  store.listen(["changes"], update);
  update();
}

/** Shows how long views took to follow a change. */
export function showUpdateTime(milliseconds) {
  const target = document.getElementById("update-time");
  if (target) {
    target.textContent = `updated in ${format.number(milliseconds, 2)} ms`;
    target.dataset.ms = milliseconds;
  }
}

/** The simulator's word on changes, beside the page's. */
export function checkAccuracy(report) {
  return report.phases.flatMap((phase) =>
    (phase.validation ?? []).map((point) => {
      const changes = {
        bits: new Map(point.bits === undefined
          ? []
          : report.matrices.flatMap((matrix, index) =>
              // The simulator has changed the palettes alone.
              matrix.is_body && matrix.bits < 8 ? [[index, point.bits]] : [])),
        rank: null, cacheBits: null,
        counts: point.count === undefined ? {} : { [phase.kind]: point.count },
        hardware: point.hardware ?? {},
      };
      const page = predict(report, phase, changes);
      return {
        phase: phase.name, what: point.what, simulated: point.seconds, predicted: page.seconds,
        error: page.seconds / point.seconds - 1,
        energyError: Object.values(page.energy).reduce((a, b) => a + b, 0) / point.joules - 1,
      };
    }));
}

export function showAccuracy(store, target, summary) {
  const rows = checkAccuracy(store.report);
  if (rows.length === 0) {
    summary.parentElement.hidden = true;
    return;
  }
  const worst = Math.max(...rows.map((row) => Math.abs(row.error)));
  summary.textContent =
    `How far the page's model is from the simulator: at most ${format.percent(worst)} % of the time in ${rows.length} checks`;
  target.dataset.worst = worst;
  target.append(format.element("table", { class: "plain" },
    format.element("thead", {}, format.element("tr", {},
      ...["Phase", "Changed", "Simulated, ms", "Predicted, ms", "Error, %", "Error of energy, %"].map((title, at) =>
        format.element("th", { class: at < 2 ? "text" : "" }, title)))),
    format.element("tbody", {}, ...rows.map((row) => format.element("tr", {},
      format.element("td", { class: "text" }, row.phase),
      format.element("td", { class: "text" }, row.what),
      format.element("td", {}, format.ms(row.simulated)),
      format.element("td", {}, format.ms(row.predicted)),
      format.element("td", {}, format.percent(row.error)),
      format.element("td", {}, format.percent(row.energyError)))))));
}
