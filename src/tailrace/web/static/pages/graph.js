// The operators of a job as a graph, with rates, busy shares and back-pressure; the bottleneck is named and marked.

import { h, s, say, table } from "../lib/dom.js";
import { bytes, count, lag, percent, rate, span, time } from "../lib/format.js";
import { layout } from "../lib/layout.js";

const WIDE = window.matchMedia("(min-width: 900px)").matches;
const SIZE = { width: WIDE ? 360 : 264, height: 72, gap: 28, rise: 28 };
const LETTERS = WIDE ? 38 : 28; // so many of a label fit

/** Put together what the parts of a job say about one node each. */
function nodesOf(job) {
  const sources = new Map(job.sources.map((source) => [source.name, source]));
  const sinks = new Map(job.sinks.map((sink) => [sink.name, sink]));
  return job.operators.map((operator) => ({
    ...operator, source: sources.get(operator.name), sink: sinks.get(operator.name), inputs: operator.inputs,
  }));
}

/** Sinks work on threads of their own, operators share the engine's. */
function busy(node) {
  return node.sink ? node.sink.busy : node.busy;
}

function held(node) {
  return node.source?.held ?? node.sink?.held ?? 0;
}

function heat(share) {
  return share >= 0.8 ? "hot" : share >= 0.5 ? "warm" : "cool";
}

function label(node) {
  const table = node.source?.table ?? node.sink?.table;
  if (node.sink && !table) return "result";
  return table ?? node.title.replace(/^\w+\s*/, "");
}

function kind(node) {
  if (node.source) return "source";
  if (node.sink) return "sink";
  return node.name.replace(/-\d+$/, "").replaceAll("-", " ");
}

function cut(text, most) {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

function drawNode(node, place, choose) {
  const lines = {
    kind: s("text", { x: 12, y: 17, class: "kind" }),
    label: s("text", { x: 12, y: 34, class: "label" }),
    rate: s("text", { x: 12, y: 51, class: "rate" }),
    note: s("text", { x: SIZE.width - 12, y: 17, class: "mark", "text-anchor": "end" }),
    share: s("text", { x: SIZE.width - 12, y: 51, class: "share", "text-anchor": "end" }),
    bar: s("rect", { x: 12, y: 59, height: 6, width: 0, rx: 3, class: "bar" }),
  };
  const element = s(
    "g",
    {
      transform: `translate(${place.x} ${place.y})`, tabindex: 0, role: "button", class: "node", "data-name": node.name,
      onclick: () => choose(node.name),
      onkeydown: (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        choose(node.name);
      },
    },
    s("rect", { width: SIZE.width, height: SIZE.height, rx: 8, class: "box" }),
    s("rect", { x: 12, y: 59, height: 6, width: SIZE.width - 24, rx: 3, class: "track" }),
    ...Object.values(lines),
  );
  return { element, lines };
}

function fillNode(drawn, node, job, chosen) {
  const share = busy(node);
  const back = held(node);
  const slow = job.bottleneck?.name === node.name;
  say(drawn.lines.kind, kind(node));
  say(drawn.lines.label, cut(label(node), LETTERS));
  const flow = node.sink ? node.sink.rows_rate : node.rows_out_rate;
  say(drawn.lines.rate, node.source?.waiting || node.sink?.waiting ? "waits for its system" : flowText(node, flow));
  say(drawn.lines.note, slow ? "◆ bottleneck" : back >= 0.05 ? `held back ${percent(back)}` : "");
  say(drawn.lines.share, `busy ${percent(share)}`);
  drawn.lines.bar.setAttribute("width", Math.min(1, share) * (SIZE.width - 24));
  drawn.element.setAttribute("class", `node ${heat(share)} ${slow ? "slow" : ""} ${chosen === node.name ? "chosen" : ""}`);
  const spoken = `${kind(node)} ${label(node)}, ${rate(flow)}, busy ${percent(share)}${slow ? ", bottleneck" : ""}`;
  drawn.element.setAttribute("aria-label", spoken);
}

function drawEdge(places, edge) {
  const from = places.get(edge.from);
  const to = places.get(edge.to);
  const [x1, y1, x2, y2] = [from.x + SIZE.width / 2, from.y + SIZE.height, to.x + SIZE.width / 2, to.y];
  const bend = (y2 - y1) / 2;
  const path = `M${x1} ${y1} C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}`;
  return s("path", { d: path, class: "edge", "data-from": edge.from, "data-to": edge.to });
}

/** A sink with a row now and then has a rate of none most of the time: its rows are told too. */
function flowText(node, flow) {
  return node.sink ? `${rate(flow)}, ${count(node.sink.rows)} rows` : rate(flow);
}

function total(parts) {
  return count(parts.reduce((sum, part) => sum + part.rows, 0));
}

/** Wider for more rows, by powers of ten; it moves while rows do. */
function fillEdge(element, node) {
  const flow = node?.rows_out_rate ?? 0;
  element.setAttribute("stroke-width", flow > 0 ? 1.5 + Math.max(0, Math.log10(flow)) : 1.5);
  element.setAttribute("class", `edge ${flow > 0 ? "moving" : ""}`);
}

function verdict(job) {
  if (job.state !== "running") return `The job is ${job.state}.`;
  const away = [...job.sources, ...job.sinks].find((part) => part.waiting);
  if (away) return `${away.table} waits: ${away.waiting}`;
  if (!job.bottleneck) return "It keeps up: no part waits for another.";
  const node = nodesOf(job).find((n) => n.name === job.bottleneck.name);
  const name = node ? `${kind(node)} ${label(node)}` : job.bottleneck.name;
  return `Bottleneck: ${name} (${percent(job.bottleneck.share)}), ${job.bottleneck.reason}.`;
}

function details(node) {
  const facts = [
    ["Plan", node.title || node.name],
    ["Rows in", `${count(node.rows_in)} (${rate(node.rows_in_rate)})`],
    ["Rows out", `${count(node.rows_out)} (${rate(node.rows_out_rate)})`],
    ["Busy", percent(busy(node))],
    ["State", `${count(node.state_rows)} rows`],
    ["Late rows", count(node.late)],
    ["Watermark", time(node.watermark)],
  ];
  if (node.source) {
    facts.push(["Held back", percent(node.source.held)], ["Lag", lag(node.source)]);
    facts.push(["Waits for the engine", bytes(node.source.queued_bytes)]);
  }
  if (node.sink) facts.push(["Engine waits", percent(node.sink.held)], ["To be written", bytes(node.sink.queued_bytes)]);
  return h("dl", { class: "facts" }, facts.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

export function open(root) {
  const summary = h("p", { class: "verdict", role: "status" });
  const drawing = h("div", { class: "drawing" });
  const panel = h("section", { class: "panel", "aria-label": "The chosen operator" });
  const operators = table("Operators", [
    "operator", ["rows in", "number"], ["rows out", "number"], ["busy", "number"], ["state rows", "number"], ["late", "number"],
  ]);
  const facts = h("p", { class: "hint" });
  root.append(summary, facts, h("div", { class: "beside" }, drawing, panel), operators.element);

  let shape = "";
  let nodes = new Map();
  let edges = [];
  let chosen = null;
  let last = null;

  function choose(name) {
    chosen = name;
    if (last) update(last);
  }

  function draw(list) {
    if (!list.length) {
      nodes = new Map();
      edges = [];
      drawing.replaceChildren(); // the job has no operators before it runs
      return;
    }
    const plan = layout(list, SIZE);
    nodes = new Map(list.map((node) => [node.name, drawNode(node, plan.places.get(node.name), choose)]));
    edges = plan.edges.map((edge) => ({ ...edge, element: drawEdge(plan.places, edge) }));
    const box = `-4 -4 ${plan.width + 8} ${plan.height + 8}`;
    drawing.replaceChildren(
      s("svg", { viewBox: box, width: plan.width + 8, height: plan.height + 8, role: "group", "aria-label": "Graph of operators" },
        ...edges.map((edge) => edge.element), ...[...nodes.values()].map((drawn) => drawn.element)),
    );
  }

  function update(job) {
    last = job;
    const list = nodesOf(job);
    const now = JSON.stringify(list.map((node) => [node.name, node.inputs]));
    if (now !== shape) {
      shape = now;
      draw(list);
    }
    const byName = new Map(list.map((node) => [node.name, node]));
    for (const node of list) fillNode(nodes.get(node.name), node, job, chosen);
    for (const edge of edges) fillEdge(edge.element, byName.get(edge.from));
    say(summary, verdict(job));
    summary.dataset.slow = job.bottleneck ? "yes" : "no";
    const latency = job.sample.latency_p99;
    say(facts, `In ${rate(job.sample.rows_in)} (${total(job.sources)} rows so far), out ${rate(job.sample.rows_out)} (${total(job.sinks)}), latency p99 ${span(latency)}, up ${span(job.seconds)}, ${job.checkpoints} checkpoints, ${job.restarts} restarts`);
    const node = byName.get(chosen);
    panel.replaceChildren(h("h2", {}, node ? `${kind(node)} ${label(node)}` : "Details"),
      node ? details(node) : h("p", { class: "hint" }, "Choose an operator to see what it does."));
    operators.fill(list.map((n) => [
      n.title || n.name, rate(n.rows_in_rate), rate(n.rows_out_rate), percent(busy(n)), count(n.state_rows), count(n.late),
    ]));
  }

  return { update };
}
