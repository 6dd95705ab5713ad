// Puts the page together.

import { showBudget } from "umber/budget.js";
import { showCompare } from "umber/compare.js";
import { acceptDrops, say } from "umber/files.js";
import * as format from "umber/format.js";
import { showDetails, showGraph } from "umber/graph.js";
import { checkReport, parseReport } from "umber/report.js";
import { showRoofline } from "umber/roofline.js";
import { Store } from "umber/store.js";
import { Table } from "umber/table.js";
import { showTimeline } from "umber/timeline.js";
import { showTotals } from "umber/totals.js";
import { showAccuracy, showUpdateTime, showWhatIf } from "umber/whatif.js";

const get = (id) => document.getElementById(id);

function setTheme(name) {
  document.documentElement.dataset.theme = name;
  dispatchEvent(new Event("umber-theme"));
}

function showHeader(store) {
  const { report } = store;
  document.title = `${report.model.name} on ${report.device.name}`;
  get("title").textContent = document.title;
  get("subtitle").textContent = `${report.package.file}, ${report.device.summary}`;
  report.phases.forEach((phase, index) =>
    get("phase").append(format.element("option", { value: index }, phase.name)));
  get("phase").addEventListener("change", () => store.setPhase(Number(get("phase").value)));
  get("print").addEventListener("click", () => print());
  const toggle = () => setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
  get("theme").addEventListener("click", toggle);
  addEventListener("keydown", (event) => {
    if (event.target.closest("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    if (event.key === "/") {
      event.preventDefault();
      get("table-tools").querySelector("input").focus();
    } else if (event.key === "t") {
      toggle();
    } else if (event.key === "Escape") {
      store.select([]);
    }
  });
}

function showDevice(report) {
  const rows = (report.device.parameters ?? []).map((at) =>
    format.element("tr", {},
      format.element("td", { class: "text" }, at.name),
      format.element("td", {}, format.number(at.value, 6)),
      format.element("td", { class: "text" }, at.provenance),
      format.element("td", { class: "text" }, at.source)));
  if (rows.length === 0) {
    get("device-section").hidden = true;
    return;
  }
  get("device").append(format.element("table", { class: "plain" },
    format.element("thead", {}, format.element("tr", {},
      ...["Parameter", "Value", "Provenance", "Source"].map((title, at) =>
        format.element("th", { class: at === 1 ? "" : "text" }, title)))),
    format.element("tbody", {}, ...rows)));
}

function start() {
  setTheme(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  const report = parseReport(get("report-data").textContent, "this page");
  report.parameters = new Map((report.device.parameters ?? []).map((at) => [at.name, at.value]));
  const store = new Store(report);
  if (report.compare) {
    store.other = checkReport(report.compare, "the report to compare with");
  }
  document.querySelector("main").hidden = false;
  // The first and the last listener tell how long the others took.
  let changed = 0;
  store.listen(["changes"], () => (changed = performance.now()));
  showHeader(store);
  showTotals(store, get("totals"), get("splits"));
  showWhatIf(store, get("whatif"));
  showBudget(store, get("budget"));
  new Table(store, get("table-tools"), get("table"));
  if (report.kernels.length > 0) {
    showGraph(store, get("graph"));
    showDetails(store, get("details"));
  } else {
    get("graph-section").hidden = true;
  }
  showTimeline(store, get("timeline"), get("timeline-hint"));
  showRoofline(store, get("roofline"));
  showCompare(store, get("compare"), get("compare-file"));
  showDevice(report);
  store.listen(["changes"], () => showUpdateTime(performance.now() - changed));
  acceptDrops(store);
  document.documentElement.dataset.ready = performance.now();
  // It takes as long as all else together, and nobody waits for it.
  setTimeout(() => showAccuracy(store, get("accuracy-table"), get("accuracy").firstElementChild), 100);
}

try {
  start();
} catch (error) {
  say(error.message);
  throw error;
}
