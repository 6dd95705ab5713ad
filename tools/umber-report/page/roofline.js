// All kernels beside what the memory and the arithmetic allow.

import { axis, Chart, escape, kindColour, theme, tooltip } from "umber/charts.js";
import * as format from "umber/format.js";
import { bytes } from "umber/report.js";

/** Operations a second that an intensity allows. */
function roof(ceilings, intensity) {
  return Math.min(ceilings.ops, ceilings.bytes * intensity);
}

export function showRoofline(store, target) {
  const chart = new Chart(target, (shown) => {
    const { phase, report, selection } = store;
    const colours = theme();
    const ceilings = phase.roofs ?? report.roofs;
    const points = phase.kernels
      .map((kernel, index) => ({ kernel, index, ops: 2 * kernel.macs, moved: bytes(kernel.dram) }))
      .filter(({ kernel, ops, moved }) => ops > 0 && moved > 0 && kernel.seconds > 0)
      .map(({ kernel, index, ops, moved }) => ({
        value: [ops / moved, ops / kernel.seconds / 1e9],
        index,
        itemStyle: {
          color: kindColour(kernel.kind),
          borderColor: selection.has(index) ? colours.text : "transparent",
          borderWidth: selection.has(index) ? 2 : 0,
          opacity: selection.size === 0 || selection.has(index) ? 0.85 : 0.3,
        },
      }));
    const xs = points.map((point) => point.value[0]);
    const low = 10 ** Math.floor(Math.log10(Math.min(1, ...xs)));
    const high = 10 ** Math.ceil(Math.log10(Math.max(1000, ...xs)));
    const lines = ceilings.map((ceiling) => ({
      type: "line",
      name: ceiling.name,
      showSymbol: false,
      silent: true,
      lineStyle: { color: colours.faint, type: ceiling.isMain ? "solid" : "dashed" },
      data: [low, ceiling.ops / ceiling.bytes, high].map((x) => [x, roof(ceiling, x) / 1e9]),
      endLabel: { show: true, formatter: "{a}", color: colours.faint, align: "right", offset: [0, -9] },
    }));
    shown.setOption({
      animation: false,
      grid: { left: 70, right: 25, top: 25, bottom: 45 },
      tooltip: tooltip(colours, ({ data }) => {
        const kernel = phase.kernels[data.index];
        return `<b>${escape(kernel.name)}</b><br>${format.number(data.value[0])} ops per byte<br>` +
          `${format.number(data.value[1])} Gop/s`;
      }),
      xAxis: axis(colours, { type: "log", name: "operations per byte of DRAM", nameLocation: "middle", nameGap: 28,
        min: low, max: high }),
      yAxis: axis(colours, { type: "log", name: "Gop/s" }),
      series: [...lines, { type: "scatter", symbolSize: 9, data: points }],
    }, { notMerge: true });
    target.dataset.points = points.length;
    shown.off("click");
    shown.on("click", ({ data }) => data.index !== undefined && store.select([data.index]));
  });
  store.listen(["phase", "selection"], () => chart.update());
}
