// The script with the plan beside it, what the plan warns of, and the options in force.

import { api } from "../lib/api.js";
import { h, say, table } from "../lib/dom.js";

/** Write a script with the numbers of its lines; gives the element, and the lines by number. */
function script({ file, text }) {
  const lines = text.split("\n").map((line, number) => h("li", { "data-line": number + 1 }, line || " "));
  const list = h("ol", { class: "code" }, lines);
  return { element: h("section", { class: "scroll", tabindex: 0, role: "region", "aria-label": file }, h("h2", {}, file), list), file, lines };
}

/** Write a text with code between backticks. */
function words(text) {
  return h("span", {}, text.split("`").map((part, place) => (place % 2 ? h("code", {}, part) : part)));
}

function options(caption, list) {
  const shown = table(caption, ["option", "value", "from", "meaning"]);
  shown.fill(list.map((o) => [o.key, o.value, o.given ? "given" : "default", words(o.doc)]));
  return shown.element;
}

export function open(root, context) {
  const note = h("p", { class: "hint", role: "status" }, "Looking …");
  root.append(note);
  let over = false;
  let names = [];

  function show(seen) {
    const texts = seen.texts.map(script);
    const mark = (node) => {
      for (const { lines } of texts) for (const line of lines) line.classList.remove("marked");
      const lines = texts.find(({ file }) => file === node.file)?.lines;
      const line = lines?.[node.line - 1];
      line?.classList.add("marked");
      line?.scrollIntoView({ block: "nearest" });
    };
    const titles = new Map(names);
    const parts = h("ul", { class: "parts" }, seen.nodes.map((node) => h(
      "li", {},
      h("button", { type: "button", class: "link", onclick: () => mark(node), onfocus: () => mark(node) }, titles.get(node.operator) ?? node.operator),
      h("span", { class: "hint" }, ` ${node.changes}${node.state ? `, state: ${node.state}` : ""}${node.line ? `, line ${node.line}` : ""}`),
    )));
    note.hidden = true;
    root.append(
      ...seen.warnings.map((warning) => h("p", { class: "notice" }, warning)),
      h("div", { class: "beside plan-beside" }, h("div", {}, texts.map((t) => t.element)),
        h("section", { class: "panel" }, h("h2", {}, "Operators"), parts)),
      h("pre", { class: "payload", tabindex: 0, role: "region", "aria-label": "Plan" }, seen.plan),
      ...seen.tables.map((t) => options(`Table ${t.name} (${t.connector})`, t.options)),
      options("The job", seen.settings),
    );
  }

  api(`${context.base}/plan`).then((seen) => { if (!over) show(seen); }, (error) => say(note, error.message));
  return {
    update(job) {
      names = job.operators.map((o) => [o.name, o.title || o.name]);
    },
    close() { over = true; },
  };
}
