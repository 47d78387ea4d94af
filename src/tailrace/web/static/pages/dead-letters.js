// Dead letters: search them, look at what came, mend it and replay it.

import { api } from "../lib/api.js";
import { h, say } from "../lib/dom.js";
import { count } from "../lib/format.js";

const AGAIN = 2; // seconds between looks for what has come
const WITHIN = 30; // a letter is in its table with the next checkpoint: so many seconds it is looked for
const COLUMNS = ["time", "source", "stage", "code", "reason", "offset", "preview"];
const CLASSES = { reason: "reason", offset: "number", preview: "preview" };

// in whole seconds, as the list is narrow; the chosen letter shows all of it
function seconds(time) {
  return time?.replace(/\.\d+/, "");
}

function payload(view) {
  if (view.kind === "none") return h("p", { class: "hint" }, "Its table does not keep the payload, or there was none.");
  if (view.kind === "hidden") return h("p", { class: "hint" }, "Hidden: it may have values of columns that are not to be shown.");
  const label = view.kind === "hex" ? "Payload, as bytes" : `Payload, as ${view.kind === "json" ? "JSON" : "text"}`;
  return h("pre", { class: "payload", tabindex: 0, role: "region", "aria-label": label }, view.text);
}

function facts(letter) {
  const pairs = Object.entries(letter.values).filter(([, value]) => value !== null);
  if (letter.headers) pairs.push(["headers", letter.headers]);
  if (letter.key) pairs.push(["key", letter.key.kind === "hidden" ? "hidden" : letter.key.text || "none"]);
  return h("dl", { class: "facts" }, pairs.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, String(value))]));
}

export function open(root, context) {
  const tables = h("select", { id: "letters-table" });
  const search = h("input", { id: "letters-search", type: "search", autocomplete: "off" });
  const note = h("p", { class: "hint", role: "status" }, "Looking …");
  const found = h("div", { class: "scroll letters", tabindex: 0, role: "region", "aria-label": "Dead letters" });
  const panel = h("section", { class: "panel letter", "aria-label": "The chosen dead letter" }, h("p", { class: "hint" }, "Choose a letter to see what came."));
  const form = h(
    "form", { class: "controls", role: "search" },
    h("label", { for: "letters-table" }, "Table "), tables, " ", h("label", { for: "letters-search" }, "with "), search, " ", h("button", {}, "Search"),
  );
  root.append(form, note, h("div", { class: "beside letters-beside" }, found, panel));

  function row(letter) {
    const choose = h("button", { type: "button", class: "link", onclick: () => show(letter.id) }, seconds(letter.time) ?? letter.id);
    const cells = COLUMNS.slice(1).map((name) => h("td", { class: CLASSES[name] ?? "" }, letter[name] ?? ""));
    return h("tr", { "data-letter": letter.id }, h("td", {}, choose), cells);
  }

  let looked = 0;
  let busy = false;

  async function look(quietly) {
    if (!quietly) say(note, "Looking …");
    busy = true;
    const query = new URLSearchParams({ table: tables.value, search: search.value });
    try {
      const seen = await api(`${context.base}/dead-letters?${query}`);
      if (tables.options.length !== seen.tables.length) {
        tables.replaceChildren(...seen.tables.map((name) => h("option", { value: name }, name)));
      }
      form.hidden = seen.tables.length === 0;
      say(note, seen.tables.length === 0 ? "No table of this job has a table of dead letters ('tailrace.dead-letter.table')."
        : `${count(seen.matching)} of ${count(seen.seen)} letters${seen.complete ? "" : " that were read in the time there is"}; the newest ${count(seen.letters.length)} are shown.`);
      found.replaceChildren(h(
        "table", {}, h("caption", {}, "Dead letters, the newest first"),
        h("thead", {}, h("tr", {}, COLUMNS.map((name) => h("th", { scope: "col" }, name)))),
        h("tbody", {}, seen.letters.map(row)),
      ));
    } catch (error) {
      say(note, error.message);
    }
    busy = false;
    looked = Date.now();
  }

  let counted = 0;
  let grown = 0;

  /** Look again when letters have come, but not under the hands of who is at the list. */
  function update(job) {
    const letters = [...job.sources, ...job.sinks].reduce((sum, one) => sum + one.dead_letters, 0);
    if (letters !== counted) grown = Date.now();
    counted = letters;
    const due = Date.now() - grown < WITHIN * 1000 && Date.now() - looked >= AGAIN * 1000;
    if (due && !busy && !document.hidden && !found.contains(document.activeElement)) look(true);
  }

  function replayForm(letter) {
    if (!context.actions) return h("p", { class: "hint" }, "To replay letters, start the dashboard with --allow-actions.");
    const exact = letter.payload.exact;
    const text = h("textarea", { id: "mended", rows: 6, spellcheck: "false" });
    text.value = exact ? letter.payload.text : "";
    const told = h("p", { role: "status", class: "told" });
    const button = h("button", { class: "primary" }, "Replay");
    const element = h(
      "form", {},
      exact ? [h("label", { for: "mended" }, "The row, to be mended if it has to be"), text] : h("p", { class: "hint" }, "It is replayed as it came."),
      h("p", {}, button), told, h("p", { class: "hint" }, letter.guarantee),
    );
    element.addEventListener("submit", async (event) => {
      event.preventDefault();
      button.disabled = true;
      say(told, "It is being replayed …");
      const changed = exact && text.value !== letter.payload.text;
      const body = changed ? { ids: [letter.id], payload: text.value } : { ids: [letter.id] };
      try {
        const done = await api(`${context.base}/dead-letters/replay`, { method: "POST", body });
        const taken = done.rows - done.refused;
        say(told, taken ? `Replayed: the row was taken, and is in checkpoint ${done.epoch}.` : "The row was not taken again: it is late, or still bad.");
      } catch (error) {
        say(told, error.message);
      }
      button.disabled = false;
    });
    return element;
  }

  async function show(id) {
    try {
      const letter = await api(`${context.base}/dead-letters/letter?id=${encodeURIComponent(id)}`);
      panel.replaceChildren(h("h2", {}, `Letter ${letter.id}`), facts(letter), payload(letter.payload), replayForm(letter));
      panel.setAttribute("tabindex", "-1");
      panel.focus();
    } catch (error) {
      panel.replaceChildren(h("p", { class: "notice" }, error.message));
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    look(false);
  });
  tables.addEventListener("change", () => look(false));
  look(false);
  return { update };
}
