// How a job did in the last quarter of an hour.

import { api } from "../lib/api.js";
import { timeLine } from "../lib/chart.js";
import { h } from "../lib/dom.js";
import { bytes, count, percent, rate, span } from "../lib/format.js";

const CHARTS = [
  ["Throughput", [["rows_in", "rows in"], ["rows_out", "rows out"]], rate],
  ["Latency in the engine", [["latency_p50", "p50"], ["latency_p95", "p95"], ["latency_p99", "p99"]], span],
  ["Lag", [["lag", "rows that wait at the sources"]], count],
  ["Watermark delay", [["watermark_delay", "behind the wall clock"]], span],
  ["Busy and held back", [["busy", "engine busy"], ["held", "waits for another part"]], percent],
  ["State", [["state_rows", "rows kept"]], count],
  ["Checkpoint time", [["checkpoint_seconds", "in all"], ["checkpoint_stall", "engine stands still"]], span],
  ["Checkpoint size", [["checkpoint_bytes", "written"]], bytes],
  ["Rows not taken", [["not_taken", "dropped or dead letters"]], count],
];

export function open(root, context) {
  const charts = CHARTS.map(([title, lines, format]) => timeLine(title, lines, format));
  root.append(h("div", { class: "charts" }, charts.map((chart) => chart.element)));
  let loaded = false;
  api(`${context.base}/history`).then((columns) => {
    if (columns.at.length) for (const chart of charts) chart.load(columns);
    loaded = true;
  }, () => { loaded = true; });
  return {
    update(job, at) {
      if (loaded) for (const chart of charts) chart.add(at, job.sample);
    },
    close() {
      for (const chart of charts) chart.close();
    },
  };
}
