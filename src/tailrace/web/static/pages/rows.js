// The newest rows that came out of an operator: what goes over the edges of the graph behind it.

import { h, say } from "../lib/dom.js";
import { again } from "../lib/again.js";
import { count, span } from "../lib/format.js";

function words(seen) {
  if (seen.age === null) return `No row has come since you look; ${count(seen.passed)} so far.`;
  const hidden = seen.hidden.length ? ` Hidden: ${seen.hidden.join(", ")}.` : "";
  return `The last of ${count(seen.passed)} rows since you look, taken ${span(seen.age)} ago.${hidden}`;
}

function grid(seen) {
  const changes = seen.changes ? ["change"] : [];
  const head = h("tr", {}, [...changes, ...seen.columns].map((name) => h("th", { scope: "col" }, name)));
  const rows = seen.rows.map((row, place) => {
    const cells = row.map((value) => (value === null ? h("td", { class: "null" }, "NULL") : h("td", {}, value)));
    return h("tr", {}, seen.changes ? h("td", {}, seen.changes[place]) : null, cells);
  });
  return h("table", {}, h("caption", {}, `Rows that come out of ${seen.operator}`), h("thead", {}, head), h("tbody", {}, rows));
}

export function open(root, context) {
  const choice = h("select", { id: "operator" });
  const pause = h("button", { type: "button", "aria-pressed": "false" }, "Pause");
  const note = h("p", { class: "hint", role: "status" }, "Looking …");
  const frame = h("div", { class: "scroll sample", tabindex: 0, role: "region", "aria-label": "Rows" });
  root.append(
    h("p", { class: "controls" }, h("label", { for: "operator" }, "Behind "), choice, " ", pause), note, frame,
  );
  let names = "";
  let loop = null;

  function look() {
    if (loop !== null || !choice.value) return;
    loop = again(() => `${context.base}/rows?operator=${encodeURIComponent(choice.value)}`, 1000, (seen) => {
      if (seen.operator !== choice.value) return;
      say(note, words(seen));
      if (seen.age !== null) frame.replaceChildren(grid(seen));
    }, (error) => say(note, error));
  }

  function stop() {
    loop?.stop();
    loop = null;
  }

  choice.addEventListener("change", () => {
    frame.replaceChildren();
    say(note, "Looking …");
    stop();
    look();
  });
  pause.addEventListener("click", () => {
    const paused = loop !== null;
    if (paused) stop();
    else look();
    say(pause, paused ? "Go on" : "Pause");
    pause.setAttribute("aria-pressed", String(paused));
  });

  return {
    update(job) {
      const operators = job.operators.map((o) => [o.name, o.title || o.name]);
      if (JSON.stringify(operators) === names) return;
      const before = choice.value;
      names = JSON.stringify(operators);
      choice.replaceChildren(...operators.map(([name, title]) => h("option", { value: name }, title)));
      if (operators.some(([name]) => name === before)) choice.value = before;
      look();
    },
    close: stop,
  };
}
