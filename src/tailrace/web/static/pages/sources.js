// The sources of a job, partition by partition: lag, event time, and who holds it back.

import { h, table } from "../lib/dom.js";
import { bytes, count, lag, percent, rate, span, time } from "../lib/format.js";

function state(partition) {
  if (partition.ended) return "ended";
  if (partition.idle) return "idle: event time does not wait for it";
  return partition.holding ? "holds event time back" : "active";
}

function notTaken(entry) {
  const parts = Object.entries(entry.dropped).map(([reason, rows]) => `${count(rows)} ${reason}`);
  if (entry.dead_letters) parts.push(`${count(entry.dead_letters)} dead letters`);
  return parts.join(", ") || "none";
}

export function open(root) {
  const sources = table("Sources", [
    "table", "state", ["rows", "number"], ["rate", "number"], ["bytes", "number"], ["lag", "number"], ["behind", "number"],
    ["delay p95", "number"], ["held back", "number"], "not taken",
  ]);
  const partitions = table("Partitions", [
    "source", "partition", ["rows", "number"], ["rate", "number"], ["lag", "number"], "watermark", ["behind", "number"], "state",
  ]);
  const sinks = table("Sinks", [
    "table", "state", ["rows", "number"], ["rate", "number"], ["busy", "number"], ["engine waits", "number"], ["to be written", "number"], "not taken",
  ]);
  root.append(sources.element, partitions.element, sinks.element, h("p", { class: "hint" }, "Times are in UTC. A partition that is idle does not hold event time back."));
  const behind = (watermark, at) => (watermark === null ? "–" : span(Math.max(0, at - watermark) / 1000));
  return {
    update(job, at) {
      sources.fill(job.sources.map((s) => [
        s.table, s.waiting ? `waits: ${s.waiting}` : "reads", count(s.rows), rate(s.rows_rate), bytes(s.bytes), lag(s),
        behind(s.watermark, at), span(job.delays[s.name]?.p95), percent(s.held), notTaken(s),
      ]));
      partitions.fill(job.partitions.map((p) => [
        p.table, p.name, count(p.rows), rate(p.rows_rate), lag(p), time(p.watermark), behind(p.watermark, at), state(p),
      ]));
      sinks.fill(job.sinks.map((s) => [
        s.table || "result", s.waiting ? `waits: ${s.waiting}` : "writes", count(s.rows), rate(s.rows_rate), percent(s.busy), percent(s.held), bytes(s.queued_bytes), notTaken(s),
      ]));
    },
  };
}
