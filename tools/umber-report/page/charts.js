// What all charts share: colours of the theme, and drawing when they are seen.

/* global echarts */

export const KIND_COLOURS = {
  embed: "#b4a7d6", qkv: "#6fa8dc", attention: "#7fb069", ffn: "#e0a458",
  head: "#c27ba0", other: "#9aa4b0",
};

export function kindColour(kind) {
  return KIND_COLOURS[kind] ?? KIND_COLOURS.other;
}

export function theme() {
  const style = getComputedStyle(document.documentElement);
  const get = (name) => style.getPropertyValue(name).trim();
  return {
    text: get("--text"), faint: get("--faint"), line: get("--line"),
    ground: get("--ground"), accent: get("--accent"), select: get("--select"),
  };
}

/** Options of axes and tooltips in the theme's colours. */
export function axis(colours, more) {
  return {
    nameTextStyle: { color: colours.faint },
    axisLabel: { color: colours.faint },
    axisLine: { lineStyle: { color: colours.line } },
    splitLine: { lineStyle: { color: colours.line, opacity: 0.5 } },
    ...more,
  };
}

export function tooltip(colours, formatter) {
  return {
    backgroundColor: colours.ground,
    borderColor: colours.line,
    textStyle: { color: colours.text, fontSize: 12 },
    formatter,
    confine: true,
  };
}

/** Text that may stand in a tooltip's HTML. */
export function escape(text) {
  return String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
}

/**
 * A chart that is drawn when it comes into view, and again when told to.
 * `draw(chart)` sets its options.
 */
export class Chart {
  constructor(target, draw) {
    this.target = target;
    this.draw = draw;
    this.chart = null;
    new IntersectionObserver((entries, observer) => {
      if (entries.some((entry) => entry.isIntersecting)) {
        observer.disconnect();
        this.show();
      }
    }, { rootMargin: "200px" }).observe(target);
    new ResizeObserver(() => this.chart?.resize()).observe(target);
    addEventListener("beforeprint", () => this.show());
    addEventListener("umber-theme", () => this.update());
  }

  show() {
    if (!this.chart) {
      this.chart = echarts.init(this.target, null, { renderer: "canvas" });
      this.draw(this.chart, this);
      this.target.dataset.drawn = "true";
    }
  }

  update() {
    if (this.chart) {
      this.draw(this.chart, this);
    }
  }
}
