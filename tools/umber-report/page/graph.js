// The compiled kernels and their data flow, a row per layer, and what a kernel
// was made of.

import { Chart, escape, kindColour, theme, tooltip } from "umber/charts.js";
import * as format from "umber/format.js";
import { BOUNDS, bytes, choiceOf } from "umber/report.js";

/** A place for each kernel: layers below one another, kernels in their order. */
export function placeKernels(kernels) {
  const rows = [];
  let row = -1;
  let layer = null;
  kernels.forEach((kernel, index) => {
    if (kernel.layer !== layer) {
      row += 1;
      layer = kernel.layer;
    }
    (rows[row] ??= []).push(index);
  });
  const places = [];
  rows.forEach((members, y) => members.forEach((index, x) => (places[index] = [150 * x, 60 * y])));
  return places;
}

export function showGraph(store, target) {
  const { report } = store;
  const places = placeKernels(report.kernels);
  const height = Math.max(...places.map(([, y]) => y));
  const chart = new Chart(target, (shown) => {
    const colours = theme();
    const { selection, phase } = store;
    const nodes = report.kernels.map((kernel, index) => ({
      id: String(index),
      name: kernel.name,
      x: places[index][0],
      y: places[index][1],
      symbol: "roundRect",
      symbolSize: [122, 26],
      itemStyle: {
        color: kindColour(kernel.kind),
        borderColor: selection.has(index) ? colours.text : "transparent",
        borderWidth: selection.has(index) ? 3 : 0,
        opacity: selection.size === 0 || selection.has(index) ? 1 : 0.45,
      },
    }));
    const links = report.kernels.flatMap((kernel, index) =>
      kernel.inputs.map((input) => ({
        source: String(input),
        target: String(index),
        lineStyle: {
          // Straight to the neighbour, around what is between to others.
          curveness: index === input + 1 ? 0 : 0.15,
          color: selection.has(index) || selection.has(input) ? colours.accent : colours.faint,
          width: selection.has(index) || selection.has(input) ? 2 : 1,
        },
      })),
    );
    shown.setOption({
      animation: false,
      tooltip: tooltip(colours, (params) => {
        const index = Number(params.data.id);
        const timing = phase.kernels[index];
        return params.dataType === "node" && timing
          ? `<b>${escape(timing.name)}</b><br>${format.ms(timing.seconds)} ms, ${BOUNDS[timing.bound] ?? ""}`
          : "";
      }),
      series: [{
        type: "graph",
        layout: "none",
        roam: true,
        preserveAspect: true,
        // A place's unit is about a pixel, however many layers there are.
        zoom: chart.zoom ?? Math.max(1, (1.1 * height) / target.clientHeight),
        nodeScaleRatio: 0,
        center: chart.center ?? [225, 210],
        edgeSymbol: ["none", "arrow"],
        edgeSymbolSize: 6,
        lineStyle: { opacity: 0.8 },
        label: { show: true, color: "#10131a", fontSize: 10, overflow: "truncate", width: 112 },
        data: nodes,
        links,
      }],
    }, { notMerge: true });
    shown.off("click");
    shown.on("click", (params) => {
      if (params.dataType === "node") {
        const isAdding = params.event?.event?.ctrlKey || params.event?.event?.metaKey;
        store.select([Number(params.data.id)], { add: isAdding });
      }
    });
    shown.off("graphroam");
    shown.on("graphroam", () => {
      const [series] = shown.getOption().series;
      chart.zoom = series.zoom;
      chart.center = series.center;
    });
    target.dataset.selected = [...selection].join(" ");
  });
  store.listen(["selection"], () => {
    const [first] = store.selection;
    if (first !== undefined && places[first]) {
      chart.center = [Math.max(225, places[first][0]), places[first][1]];
    }
    chart.update();
  });
  store.listen(["phase"], () => chart.update());
  return chart;
}

function list(title, items) {
  return items.length === 0
    ? []
    : [format.element("h4", {}, title), format.element("ul", {}, ...items.map((item) => format.element("li", {}, item)))];
}

/** What is known of the selected kernels. */
export function showDetails(store, target) {
  const { report } = store;
  const link = (index) =>
    format.element("button", { type: "button", "data-goto": index, onclick: () => store.select([index]) },
      report.kernels[index].name);
  const describe = (index) => {
    const kernel = report.kernels[index];
    const timing = store.phase.kernels[index];
    const outputs = report.kernels.flatMap((other, at) => (other.inputs.includes(index) ? [at] : []));
    const made = format.element("div", { "data-details": index },
      format.element("h3", {}, kernel.name),
      timing
        ? format.element("p", {}, `${format.ms(timing.seconds)} ms in ${store.phase.name}, ` +
            `bound by ${BOUNDS[timing.bound] ?? timing.bound}; ${format.megabytes(bytes(timing.dram))} MB of DRAM`)
        : null);
    made.append(
      ...list("Reads results of", kernel.inputs.map(link)),
      ...list("Is read by", outputs.map(link)),
      ...list("Tensors", kernel.matrices.map((at) => {
        const matrix = report.matrices[at];
        const bits = store.bitsOf(at);
        return `${matrix.name}: ${matrix.rows} × ${matrix.columns}, ${matrix.encoding || "plain"}, ` +
          `${format.megabytes(choiceOf(matrix, bits)?.bytes ?? matrix.bytes)} MB` +
          (bits === matrix.bits ? "" : `, ${bits} bits instead`) +
          (matrix.error === undefined ? "" : `, relative error ${format.number(matrix.error, 3)}`);
      })),
      ...list("Ops", kernel.ops.map((op) =>
        format.element("span", {},
          format.element("code", {}, `${op.name}${op.parameter ? ` @${op.parameter}` : ""}`),
          ` ${op.type}`,
          op.location ? format.element("span", { class: "hint" }, ` at ${op.location}`) : ""))),
    );
    return made;
  };
  const update = () => {
    const chosen = [...store.selection].filter((index) => report.kernels[index]);
    target.replaceChildren(
      ...(chosen.length === 0
        ? [format.element("p", { class: "hint" }, "Select a kernel, in the table or in a chart.")]
        : chosen.slice(0, 8).map(describe)),
      ...(chosen.length > 8 ? [format.element("p", { class: "hint" }, `and ${chosen.length - 8} more`)] : []),
    );
  };
  store.listen(["selection", "phase", "changes"], update);
  update();
}
