// The table of kernels: sorted, filtered, grouped; rows are selected with the
// mouse or the keyboard.

import { predict } from "umber/costmodel.js";
import * as format from "umber/format.js";
import { BOUNDS, ENGINES, joules, lossOf, matricesOf, streamedBits, sum } from "umber/report.js";

const number = (name, title, value, print = format.number) => ({ name, title, value, print });

/** Columns for what a report has; `value` of a row, for sorting and for --csv. */
function makeColumns(report, phase) {
  const text = (name, title, value) => ({ name, title, value, print: (v) => v, isText: true });
  const columns = [
    number("order", "#", (row) => row.index + 1, String),
    text("kernel", "Kernel", (row) => row.name),
    number("layer", "Layer", (row) => row.layer, (v) => (v < 0 ? "–" : String(v))),
    text("kind", "Kind", (row) => row.kind),
  ];
  const isEngine = report.device.kind === "npu";
  if (isEngine) {
    columns.push(text("engine", "Engine", (row) => ENGINES[row.bound]));
  }
  if (phase.timeline) {
    columns.push(number("start", "Start, ms", (row) => row.start, format.ms));
  }
  columns.push(
    number("latency", "Latency, ms", (row) => row.seconds, format.ms),
    { ...number("share", "Share, %", (row) => row.seconds / phase.seconds, format.percent), isShare: true },
    text("bound", "Bound by", (row) => BOUNDS[row.bound] ?? row.bound),
    number("ops", "Mops", (row) => (2 * row.macs) / 1e6),
    number("utilisation", "Use, %", (row) => row.utilisation, format.percent),
  );
  for (const region of ["weights", "adapters", "cache", "activations", "tables"]) {
    if (sum(phase.kernels.map((kernel) => kernel.dram[region] ?? 0)) > 0) {
      columns.push(number(`dram_${region}`, `${region}, MB`, (row) => row.dram[region] ?? 0, format.megabytes));
    }
  }
  if (isEngine) {
    columns.push(number("scratchpad", "Scratchpad, MB", (row) => row.scratchpad_bytes, format.megabytes));
  }
  if (report.device.kind === "gpu") {
    columns.push(
      number("l2", "L2, MB", (row) => row.l2_bytes, format.megabytes),
      number("workgroups", "Workgroups", (row) => row.workgroups),
    );
  }
  if (phase.energy) {
    columns.push(
      number("energy", "Energy, mJ", (row) => joules(row.energy), format.mj),
      number("memory", "memory", (row) => row.energy.memory, format.mj),
      number("compute", "compute", (row) => row.energy.compute + row.energy.vector, format.mj),
      number("static", "static", (row) => row.energy.static, format.mj),
    );
  }
  if (phase.kernels.some((kernel) => kernel.streamed_weights > 0)) {
    columns.push(number("bits", "Bits", (row) => streamedBits(row), (v) => format.number(v, 3)));
  }
  if (report.matrices.some((matrix) => matrix.choices.some((choice) => choice.loss != null))) {
    columns.push(number("loss", "Loss (KL)", (row) => row.loss, (v) => format.number(v, 3)));
  }
  return columns;
}

function makeRows(store) {
  const { report, phase } = store;
  return phase.kernels.map((kernel, index) => {
    const losses = matricesOf(report, index)
      .map((at) => lossOf(report.matrices[at], store.bitsOf(at)))
      .filter((loss) => loss !== undefined && loss !== null);
    return { ...kernel, index, loss: losses.length > 0 ? sum(losses) : NaN };
  });
}

/** That are there when the page opens; many more would keep it from doing so. */
const FIRST_ROWS = 150;

/** What rows of a group have together. */
function addUp(rows, name) {
  const add = (get) => sum(rows.map(get));
  const merge = (key) => {
    const merged = {};
    for (const row of rows) {
      for (const [part, value] of Object.entries(row[key] ?? {})) {
        merged[part] = (merged[part] ?? 0) + value;
      }
    }
    return merged;
  };
  const seconds = add((row) => row.seconds);
  const longest = rows.reduce((a, b) => (b.seconds > a.seconds ? b : a), rows[0]);
  const losses = rows.map((row) => row.loss).filter(Number.isFinite);
  return {
    name: `${name} (${rows.length})`,
    layer: rows.every((row) => row.layer === rows[0].layer) ? rows[0].layer : -1,
    kind: rows.every((row) => row.kind === rows[0].kind) ? rows[0].kind : "",
    bound: longest.bound,
    start: Math.min(...rows.map((row) => row.start)),
    seconds,
    macs: add((row) => row.macs),
    utilisation: add((row) => row.utilisation * row.seconds) / seconds,
    dram: merge("dram"),
    energy: merge("energy"),
    scratchpad_bytes: add((row) => row.scratchpad_bytes ?? 0),
    l2_bytes: add((row) => row.l2_bytes ?? 0),
    workgroups: add((row) => row.workgroups ?? 0),
    streamed_weights: add((row) => row.streamed_weights ?? 0),
    loss: losses.length > 0 ? sum(losses) : NaN,
  };
}

export class Table {
  constructor(store, tools, target) {
    this.store = store;
    this.target = target;
    this.sort = { name: "order", isDown: false };
    this.group = "none";
    this.search = "";
    this.filters = { kind: "", bound: "" };
    this.makeTools(tools);
    store.listen(["phase"], () => this.render());
    store.listen(["selection"], () => this.showSelection());
    store.listen(["changes"], () => this.showPredicted());
    target.addEventListener("keydown", (event) => this.onKey(event));
    this.render(FIRST_ROWS);
  }

  makeTools(tools) {
    const choose = (label, options, apply) => {
      const select = format.element("select", { "aria-label": label, "data-tool": label });
      for (const [value, text] of options) {
        select.append(format.element("option", { value }, text));
      }
      select.addEventListener("change", () => {
        apply(select.value);
        this.render();
      });
      return format.element("label", {}, `${label} `, select);
    };
    const kinds = [...new Set(this.store.phase.kernels.map((kernel) => kernel.kind))];
    this.searchBox = format.element("input", {
      type: "search", placeholder: "Search ( / )", "aria-label": "Search kernels",
      oninput: () => {
        this.search = this.searchBox.value.toLowerCase();
        this.render();
      },
    });
    this.count = format.element("span", { class: "hint" });
    tools.append(
      this.searchBox,
      choose("Group", [["none", "none"], ["layer", "by layer"], ["kind", "by kind"]], (value) => (this.group = value)),
      choose("Kind", [["", "all"], ...kinds.map((kind) => [kind, kind])], (value) => (this.filters.kind = value)),
      choose("Bound", [["", "any"], ...Object.entries(BOUNDS)], (value) => (this.filters.bound = value)),
      format.element("button", {
        type: "button", "data-action": "select-shown",
        onclick: () => this.store.select(this.shown.map((row) => row.index)),
      }, "Select shown"),
      format.element("button", { type: "button", onclick: () => this.store.select([]) }, "Select none"),
      this.count,
    );
  }

  matches(row) {
    const { kind, bound } = this.filters;
    return (
      (!kind || row.kind === kind) && (!bound || row.bound === bound) &&
      (!this.search || `${row.name} ${row.kind} layer ${row.layer}`.toLowerCase().includes(this.search))
    );
  }

  sorted(rows) {
    const column = this.columns.find((at) => at.name === this.sort.name) ?? this.columns[0];
    const sign = this.sort.isDown ? -1 : 1;
    const order = (value) => (typeof value === "number" && Number.isNaN(value) ? -Infinity : value);
    return [...rows].sort((a, b) => {
      const x = order(column.value(a));
      const y = order(column.value(b));
      return x < y ? -sign : x > y ? sign : a.index - b.index;
    });
  }

  /** `most`: rows to show at once; the others follow. */
  render(most = Infinity) {
    const { store } = this;
    this.columns = makeColumns(store.report, store.phase);
    this.rows = makeRows(store);
    this.shown = this.sorted(this.rows.filter((row) => this.matches(row)));
    const body = format.element("tbody");
    if (this.group === "none") {
      body.append(...this.shown.slice(0, most).map((row) => this.makeRow(row)));
      if (this.shown.length > most) {
        setTimeout(() => this.render());
      }
    } else {
      const groups = new Map();
      for (const row of this.shown) {
        const key = this.group === "layer" ? (row.layer < 0 ? "no layer" : `layer ${row.layer}`) : row.kind;
        groups.set(key, [...(groups.get(key) ?? []), row]);
      }
      const sums = [...groups].map(([name, rows], index) => ({ ...addUp(rows, name), rows, index }));
      for (const group of this.sorted(sums)) {
        body.append(this.makeGroup(group), ...group.rows.map((row) => this.makeRow(row)));
      }
    }
    this.target.replaceChildren(format.element("table", { id: "kernels" }, this.makeHead(), body));
    this.count.textContent = `${this.shown.length} of ${this.rows.length} kernels`;
    const first = this.target.querySelector("tr[data-kernel]");
    if (first) {
      first.tabIndex = 0;
    }
    this.showSelection();
    this.showPredicted();
  }

  makeHead() {
    const row = format.element("tr");
    for (const column of this.columns) {
      const isSorted = column.name === this.sort.name;
      row.append(
        format.element("th", {
          scope: "col", class: column.isText ? "text" : "", "data-column": column.name,
          "aria-sort": isSorted ? (this.sort.isDown ? "descending" : "ascending") : false,
        },
        format.element("button", {
          type: "button",
          onclick: () => {
            this.sort = { name: column.name, isDown: isSorted ? !this.sort.isDown : !column.isText && column.name !== "order" };
            this.render();
            this.target.querySelector(`th[data-column="${column.name}"] button`).focus();
          },
        }, column.title)),
      );
    }
    row.append(format.element("th", { "data-column": "predicted" }, "What if, ms"));
    return format.element("thead", {}, row);
  }

  makeCells(row) {
    return this.columns.map((column) => {
      const value = column.value(row);
      const cell = format.element("td", { class: column.isText ? "text" : column.isShare ? "share" : "" },
        column.print(value) ?? "");
      if (column.isShare) {
        cell.style.setProperty("--part", Math.min(1, value));
      }
      return cell;
    });
  }

  makeRow(row) {
    return format.element("tr", {
      "data-kernel": row.index, tabindex: "-1", "aria-selected": "false",
      onclick: (event) => this.choose(row.index, event),
    }, ...this.makeCells(row), format.element("td", { class: "predicted" }));
  }

  makeGroup(group) {
    return format.element("tr", {
      class: "group",
      onclick: () => this.store.select(group.rows.map((row) => row.index)),
    }, ...this.makeCells(group), format.element("td"));
  }

  choose(index, event) {
    const at = this.shown.findIndex((row) => row.index === index);
    if (event.shiftKey && this.anchor !== undefined) {
      const [from, to] = [Math.min(at, this.anchor), Math.max(at, this.anchor)];
      this.store.select(this.shown.slice(from, to + 1).map((row) => row.index));
      return;
    }
    this.anchor = at;
    if (event.ctrlKey || event.metaKey || event.key === " ") {
      this.store.toggle(index);
    } else {
      this.store.select([index]);
    }
  }

  onKey(event) {
    const row = event.target.closest?.("tr[data-kernel]");
    if (!row) {
      return;
    }
    const rows = [...this.target.querySelectorAll("tr[data-kernel]")];
    const at = rows.indexOf(row);
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };
    if (event.key in moves) {
      const next = rows[Math.max(0, Math.min(rows.length - 1, at + moves[event.key]))];
      row.tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    } else if (event.key === "Enter" || event.key === " ") {
      this.choose(Number(row.dataset.kernel), event);
    } else {
      return;
    }
    event.preventDefault();
  }

  showSelection() {
    const { selection } = this.store;
    for (const row of this.target.querySelectorAll("tr[data-kernel]")) {
      row.setAttribute("aria-selected", String(selection.has(Number(row.dataset.kernel))));
    }
    if (selection.size === 1 && !this.target.contains(document.activeElement)) {
      const [only] = selection;
      this.target.querySelector(`tr[data-kernel="${only}"]`)?.scrollIntoView({ block: "nearest" });
    }
  }

  showPredicted() {
    const { store } = this;
    const after = store.hasChanges ? predict(store.report, store.phase, store.changes) : null;
    for (const row of this.target.querySelectorAll("tr[data-kernel]")) {
      const kernel = after?.kernels[Number(row.dataset.kernel)];
      const cell = row.lastElementChild;
      const delta = kernel ? kernel.seconds - kernel.before : 0;
      cell.textContent = Math.abs(delta) < 5e-8 ? "" : `${delta > 0 ? "+" : "−"}${format.ms(Math.abs(delta))}`;
      cell.className = `predicted ${delta < 0 ? "good" : "bad"}`;
    }
  }
}
