// Why each window is open: the reason in words, the partitions that event time waits for, and what closes next.

import { h, say, table } from "../lib/dom.js";
import { again } from "../lib/again.js";
import { count, span, time } from "../lib/format.js";

function state(partition) {
  if (partition.ended) return "ended";
  if (partition.idle) return "idle: not waited for";
  return partition.holding ? "holds event time back" : "active";
}

/** Whether event time is kept from moving on: one that it waits for is silent, or far behind the others. */
function stuck(seen) {
  const active = seen.partitions.filter((p) => !p.idle && !p.ended);
  const ahead = Math.max(...active.map((p) => p.watermark ?? -Infinity));
  return seen.count > 0 && active.some((p) => p.holding && (p.silent >= 5 || ahead - p.watermark >= 5000));
}

function section(operator) {
  const why = h("p", { class: "verdict why" });
  const windows = table(`Open windows of ${operator.title}`, [
    "from", "to", ["rows of state", "number"], ["missing", "number"], ["about", "number"], "closes",
  ]);
  const partitions = table("Partitions that event time comes from", [
    "source", "partition", "watermark", ["silent", "number"], "state",
  ]);
  const more = h("p", { class: "hint" });
  const element = h("section", { class: "operator" }, h("h2", {}, operator.title), why, windows.element, more, partitions.element);
  function fill(seen) {
    say(why, seen.why);
    why.dataset.slow = stuck(seen) ? "yes" : "no";
    windows.fill(seen.windows.map((w) => [
      time(w.start), time(w.end), count(w.rows), w.missing === null ? "–" : span(w.missing / 1000), span(w.seconds), w.text,
    ]));
    const left = seen.count - seen.windows.length;
    say(more, left > 0 ? `${count(left)} more are open.` : "");
    partitions.element.hidden = seen.partitions.length === 0;
    partitions.fill(seen.partitions.map((p) => [p.table, p.name, time(p.watermark), span(p.silent), state(p)]));
  }
  return { element, fill };
}

export function open(root, context) {
  const note = h("p", { class: "hint", role: "status" }, "Looking …");
  const list = h("div");
  root.append(h("p", { class: "hint" }, "A window closes when event time has passed its end. Times of windows are those of their columns, all others are in UTC."), note, list);
  let sections = new Map();
  const loop = again(`${context.base}/windows`, 1000, (seen) => {
    say(note, seen.operators.length ? "" : "This job has no windows.");
    if (seen.operators.map((o) => o.name).join() !== [...sections.keys()].join()) {
      sections = new Map(seen.operators.map((o) => [o.name, section(o)]));
      list.replaceChildren(...[...sections.values()].map((s) => s.element));
    }
    for (const operator of seen.operators) sections.get(operator.name).fill(operator);
  }, (error) => say(note, error));
  return { close: loop.stop };
}
