// All jobs on one page: which is well, which is slow, and why.

import { h, table } from "../lib/dom.js";
import { count, percent, rate, span } from "../lib/format.js";

function trouble(job) {
  const away = [...job.sources, ...job.sinks].find((part) => part.waiting);
  if (away) return `${away.table} waits: ${away.waiting}`;
  return job.bottleneck ? `${job.bottleneck.name}: ${job.bottleneck.reason}` : "";
}

export function open(root) {
  const list = table("Jobs", [
    "job", "state", ["rows in", "number"], ["rows out", "number"], ["lag", "number"], ["latency p99", "number"],
    ["watermark delay", "number"], ["engine busy", "number"], ["state rows", "number"], ["checkpoints", "number"], ["not taken", "number"], "bottleneck",
  ]);
  root.append(list.element);
  const links = new Map();
  function link(job) {
    const name = job.where ? `${job.name} at ${job.where}` : job.name;
    if (!links.has(job.id)) links.set(job.id, h("a", { href: `#/graph/${job.id}` }, name));
    return links.get(job.id);
  }
  return {
    update(_job, _at, jobs) {
      list.fill(jobs.map((job) => [
        link(job), job.state, rate(job.sample.rows_in), rate(job.sample.rows_out), count(job.sample.lag), span(job.sample.latency_p99),
        span(job.sample.watermark_delay), percent(job.sample.busy), count(job.sample.state_rows), count(job.checkpoints),
        count(job.sample.not_taken), trouble(job),
      ]));
    },
  };
}
