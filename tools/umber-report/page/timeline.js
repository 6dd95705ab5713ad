// When each of the engine's queues runs which kernel.

import { axis, Chart, escape, kindColour, theme, tooltip } from "umber/charts.js";
import * as format from "umber/format.js";

/** More bars than these are merged until they are no more than a pixel apart. */
const BARS = 1500;

/**
 * The runs of commands that are seen between two times: those of one kernel in
 * one queue that are less than `gap` apart are one.
 */
export function visibleRuns(timeline, from, to, gap) {
  const runs = [];
  timeline.queues.forEach((queue, row) => {
    let last = null;
    for (const [kernel, start, end, bound] of queue.runs) {
      if (end < from || start > to) {
        continue;
      }
      if (last && last.kernel === kernel && start - last.end < gap) {
        last.end = end;
        last.count += 1;
        continue;
      }
      last = { row, kernel, start, end, bound, count: 1 };
      runs.push(last);
    }
  });
  return runs;
}

function runsBetween(timeline, from, to) {
  let gap = (to - from) / 2000;
  let runs = visibleRuns(timeline, from, to, gap);
  while (runs.length > BARS && gap < to - from) {
    gap *= 4;
    runs = visibleRuns(timeline, from, to, gap);
  }
  return runs;
}

export function showTimeline(store, target, hint) {
  const chart = new Chart(target, (shown) => {
    const { phase, selection } = store;
    const { timeline } = phase;
    if (!timeline) {
      hint.textContent = "This report has no timeline: it shows measured kernels.";
      shown.clear();
      return;
    }
    hint.textContent =
      `One step of ${phase.name}. Drag to move, turn the wheel to zoom; click a bar to select its kernel.`;
    const colours = theme();
    const end = timeline.seconds;
    const data = (from, to) =>
      runsBetween(timeline, from, to).map((run) => {
        const kernel = phase.kernels[run.kernel];
        return {
          value: [run.row, 1e3 * run.start, 1e3 * run.end, run.kernel, run.count],
          itemStyle: {
            color: kindColour(kernel?.kind),
            opacity: selection.size === 0 || selection.has(run.kernel) ? 1 : 0.25,
          },
        };
      });
    const window = chart.window ?? [0, end];
    shown.setOption({
      animation: false,
      grid: { left: 80, right: 20, top: 15, bottom: 70 },
      tooltip: tooltip(colours, ({ value }) => {
        const kernel = phase.kernels[value[3]];
        return `<b>${escape(kernel?.name ?? "launch")}</b><br>${format.number(value[1])} to ` +
          `${format.number(value[2])} ms (${format.number(value[2] - value[1])} ms)<br>${value[4]} runs of commands`;
      }),
      dataZoom: [
        { type: "inside", filterMode: "none", startValue: 1e3 * window[0], endValue: 1e3 * window[1] },
        { type: "slider", filterMode: "none", bottom: 10, textStyle: { color: colours.faint },
          startValue: 1e3 * window[0], endValue: 1e3 * window[1] },
      ],
      xAxis: axis(colours, { type: "value", name: "ms", min: 0, max: 1e3 * end,
        axisLabel: { color: colours.faint, formatter: (value) => format.number(value) } }),
      yAxis: axis(colours, { type: "category", inverse: true, data: timeline.queues.map((queue) => queue.name) }),
      series: [{
        type: "custom",
        clip: true,
        encode: { x: [1, 2], y: 0 },
        renderItem: (params, api) => {
          const start = api.coord([api.value(1), api.value(0)]);
          const stop = api.coord([api.value(2), api.value(0)]);
          const height = api.size([0, 1])[1] * 0.7;
          return {
            type: "rect",
            shape: { x: start[0], y: start[1] - height / 2, width: Math.max(1, stop[0] - start[0]), height },
            style: { fill: api.visual("color"), opacity: api.visual("opacity") },
          };
        },
        data: data(...window),
      }],
    }, { notMerge: chart.isFresh !== false });
    chart.isFresh = false;
    shown.off("click");
    shown.on("click", ({ value }) => store.select([value[3]]));
    shown.off("datazoom");
    shown.on("datazoom", () => {
      const zoom = shown.getOption().dataZoom[0];
      chart.window = [zoom.startValue / 1e3, zoom.endValue / 1e3];
      shown.setOption({ series: [{ data: data(...chart.window) }] });
      target.dataset.from = chart.window[0];
      target.dataset.to = chart.window[1];
    });
  });
  store.listen(["phase"], () => {
    chart.window = undefined;
    chart.isFresh = true;
    chart.update();
  });
  store.listen(["selection"], () => chart.update());
}
