// Where the engine's time goes: by operator since the start, and by kernel and function for some seconds on demand.

import { api } from "../lib/api.js";
import { h, s, say, table } from "../lib/dom.js";
import { count, percent, span } from "../lib/format.js";

const ROW = 20;
const WIDTH = 1200;

function depth(call) {
  return 1 + Math.max(0, ...call.calls.map(depth));
}

/** Draw a flame graph: each call above those that it makes; a click makes one as wide as the picture. */
function flames(root) {
  const svg = s("svg", { class: "flames", role: "img", "aria-label": "Flame graph: the longest calls are in the table below" });
  let top = root;

  function draw(call, x, width, level, drawn) {
    const most = Math.floor(width / 7) - 1;
    const name = call.name.length > most ? `${call.name.slice(0, Math.max(0, most - 1))}…` : call.name;
    const box = s(
      "g", { class: `flame flame-${level % 4}`, onclick: () => { top = call === top ? root : call; paint(); } },
      s("title", {}, `${call.name} ${call.place}: ${percent(call.share)}`),
      s("rect", { x, y: level * ROW, width: Math.max(0, width - 1), height: ROW - 1, rx: 2 }),
      most > 2 ? s("text", { x: x + 4, y: level * ROW + 14 }, name) : null,
    );
    drawn.push(box);
    let left = x;
    for (const below of call.calls) {
      const share = (below.share / call.share) * width;
      if (share >= 1) draw(below, left, share, level + 1, drawn);
      left += share;
    }
  }

  function paint() {
    const drawn = [];
    draw(top, 0, WIDTH, 0, drawn);
    svg.setAttribute("viewBox", `0 0 ${WIDTH} ${depth(top) * ROW}`);
    svg.replaceChildren(...drawn);
  }

  paint();
  return svg;
}

/** Give the functions with the most time of their own. */
function heaviest(root) {
  const own = new Map();
  (function walk(call) {
    const rest = call.share - call.calls.reduce((sum, below) => sum + below.share, 0);
    const key = `${call.name}\n${call.place}`;
    own.set(key, (own.get(key) ?? 0) + Math.max(0, rest));
    call.calls.forEach(walk);
  })(root);
  return [...own].sort((a, b) => b[1] - a[1]).slice(0, 20).map(([key, share]) => [...key.split("\n"), percent(share)]);
}

export function open(root, context) {
  const operators = table("Operators since the start", ["operator", ["busy now", "number"], ["time at work", "number"], ["share of it", "number"]]);
  const functions = table("Functions of yours since the start", [
    "function", "operator", ["calls", "number"], ["rows", "number"], ["failed", "number"], ["time", "number"], ["for a row", "number"],
  ]);
  const result = h("div");
  const told = h("p", { class: "hint", role: "status" });
  const seconds = h("input", { id: "profile-seconds", type: "number", min: 1, max: 20, value: 5, required: true });
  const button = h("button", { class: "primary" }, "Take a profile");
  const form = h("form", { class: "controls" }, h("label", { for: "profile-seconds" }, "Seconds "), seconds, " ", button);
  let titles = new Map();

  function show(seen) {
    const parts = table("By operator and kernel", ["operator", "kernel", ["share of the time", "number"]]);
    parts.fill(seen.parts.slice(0, 40).map((p) => [titles.get(p.operator) ?? p.operator, p.kernel, percent(p.share)]));
    say(told, `${seen.samples} looks in ${span(seen.seconds)}.`);
    result.replaceChildren(parts.element);
    if (seen.calls === null) return;
    const heavy = table("Functions by time of their own", ["function", "place", ["share of the time", "number"]]);
    heavy.fill(heaviest(seen.calls));
    result.append(h("h2", {}, "Flame graph"), h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Flame graph" }, flames(seen.calls)), heavy.element);
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    say(told, "Looking at the engine …");
    try {
      show(await api(`${context.base}/profile`, { method: "POST", body: { seconds: Number(seconds.value) } }));
    } catch (error) {
      say(told, error.message);
    }
    button.disabled = false;
  });

  root.append(
    operators.element, functions.element,
    context.actions ? form : h("p", { class: "hint" }, "To take a profile with kernels and a flame graph, start the dashboard with --allow-actions."),
    told, result,
  );
  return {
    update(job) {
      titles = new Map(job.operators.map((o) => [o.name, o.title || o.name]));
      const all = job.operators.reduce((sum, o) => sum + o.busy_seconds, 0) || 1;
      const sorted = [...job.operators].sort((a, b) => b.busy_seconds - a.busy_seconds);
      operators.fill(sorted.map((o) => [o.title || o.name, percent(o.busy), span(o.busy_seconds), percent(o.busy_seconds / all)]));
      const used = sorted.flatMap((o) => Object.entries(o.functions ?? {}).map(([name, u]) => [name, o, u]));
      functions.element.hidden = used.length === 0;
      functions.fill(used.map(([name, o, u]) => [
        name, o.title || o.name, count(u.calls), count(u.rows), count(u.failed), span(u.nanoseconds / 1e9), u.rows ? span(u.nanoseconds / 1e9 / u.rows) : "–",
      ]));
    },
  };
}
