// Time lines, drawn by Chart.js.

import { h, say } from "./dom.js";
import { colour, onTheme } from "./theme.js";

const MINUTES = 15;

function clock(value) {
  return new Date(value).toLocaleTimeString("en-GB");
}

function axis(extra) {
  return { grid: { color: colour("line") }, ticks: { color: colour("soft"), maxRotation: 0, autoSkipPadding: 16 }, ...extra };
}

function options(format) {
  return {
    animation: false, parsing: false, normalized: true, responsive: true, maintainAspectRatio: false, spanGaps: false,
    interaction: { mode: "index", intersect: false },
    elements: { point: { radius: 0, hitRadius: 6 }, line: { borderWidth: 2 } },
    scales: {
      x: axis({ type: "linear" }),
      y: axis({ beginAtZero: true }),
    },
    plugins: {
      legend: { display: false },
      tooltip: {
        callbacks: {
          title: (items) => (items.length ? clock(items[0].parsed.x) : ""),
          label: (item) => `${item.dataset.label}: ${format(item.parsed.y)}`,
        },
      },
    },
  };
}

/**
 * Make a chart of some lines; `lines` are [name of the sample's value, label], `format` writes a value.
 * Gives its element, `load(columns)` for what was before, `add(at, sample)` for each new look, and `close()`.
 */
export function timeLine(title, lines, format) {
  const canvas = h("canvas", { role: "img", "aria-label": title });
  const legend = h("ul", { class: "legend" });
  const values = lines.map(([, label], place) => {
    const value = h("b");
    legend.append(h("li", { class: `line-${place + 1}` }, h("span", { class: "swatch" }), `${label} `, value));
    return value;
  });
  const element = h("section", { class: "chart" }, h("h2", {}, title), legend, h("div", { class: "canvas" }, canvas));
  const datasets = lines.map(([, label]) => ({ label, data: [] }));
  const chart = new Chart(canvas, { type: "line", data: { datasets }, options: options(format) });

  function paint() {
    const { scales } = chart.options;
    for (const scale of [scales.x, scales.y]) {
      scale.grid.color = colour("line");
      scale.ticks.color = colour("soft");
    }
    scales.x.ticks.callback = clock;
    scales.y.ticks.callback = (value) => format(value);
    datasets.forEach((set, place) => { set.borderColor = colour(`line-${place + 1}`); set.backgroundColor = set.borderColor; });
    chart.update("none");
  }

  function push(at, sample) {
    lines.forEach(([name], place) => {
      const { data } = datasets[place];
      if (data.length && at <= data[data.length - 1].x) return;
      data.push({ x: at, y: sample[name] ?? null });
      while (data[0].x < at - MINUTES * 60000) data.shift();
    });
  }

  function tell(sample) {
    const words = lines.map(([name, label], place) => {
      say(values[place], format(sample[name] ?? null));
      return `${label} ${format(sample[name] ?? null)}`;
    });
    canvas.setAttribute("aria-label", `${title}: ${words.join(", ")}`);
  }

  const forget = onTheme(paint);
  paint();
  return {
    element,
    load(columns) {
      datasets.forEach((set) => { set.data.length = 0; });
      columns.at.forEach((at, row) => push(at, Object.fromEntries(lines.map(([name]) => [name, columns[name][row]]))));
      chart.update("none");
    },
    add(at, sample) {
      push(at, sample);
      tell(sample);
      chart.update("none");
    },
    close() {
      forget();
      chart.destroy();
    },
  };
}
