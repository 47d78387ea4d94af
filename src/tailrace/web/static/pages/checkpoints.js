// The checkpoints of this run and the savepoints of the job; takes one when actions are allowed.

import { api } from "../lib/api.js";
import { h, say, table } from "../lib/dom.js";
import { again } from "../lib/again.js";
import { bytes, count, span, time } from "../lib/format.js";

function form(base, told, changed) {
  const name = h("input", { id: "savepoint-name", required: true, maxlength: 64, pattern: "[A-Za-z0-9][\\w.\\-]*", autocomplete: "off" });
  const take = h("button", { class: "primary" }, "Take a savepoint");
  const stop = h("button", { type: "button" }, "Take one and stop the job");
  const now = h("button", { type: "button" }, "Take a checkpoint now");
  const buttons = [take, stop, now];

  async function send(path, body, words) {
    for (const button of buttons) button.disabled = true;
    say(told, "It is being taken …");
    try {
      say(told, words(await api(`${base}/checkpoints/${path}`, { method: "POST", body })));
      changed();
    } catch (error) {
      say(told, error.message);
    }
    for (const button of buttons) button.disabled = false;
  }

  const saved = (r) => `Savepoint ${r.savepoint.name} is there: checkpoint ${r.epoch}, after ${count(r.rows_in)} rows.`;
  const element = h("form", { class: "controls" }, h("label", { for: "savepoint-name" }, "Name "), name, " ", take, " ", stop, " ", now);
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    send("savepoint", { name: name.value }, saved);
  });
  stop.addEventListener("click", () => {
    if (element.reportValidity()) send("savepoint", { name: name.value, stop: true }, (r) => `${saved(r)} The job has stopped.`);
  });
  now.addEventListener("click", () => send("take", {}, (r) => `Checkpoint ${r.epoch} is complete.`));
  return element;
}

export function open(root, context) {
  const told = h("p", { class: "hint", role: "status" });
  const checkpoints = table("Checkpoints of this run", [
    ["epoch", "number"], "complete (UTC)", ["took", "number"], ["engine stood still", "number"], ["written", "number"], ["rows read so far", "number"], "savepoint",
  ]);
  const savepoints = table("Savepoints", ["name", "taken (UTC)", ["epoch", "number"], ["rows read so far", "number"], ["size", "number"]]);
  const hint = h("p", { class: "hint" });
  const loop = again(`${context.base}/checkpoints`, 2000, (seen) => {
    say(hint, seen.durable
      ? "A new job begins with a savepoint by: tailrace run FILE.sql --from-savepoint STATE/savepoints/NAME --state NEW"
      : "This job has no folder for its state (--state): checkpoints commit what is written, and nothing outlives the run.");
    checkpoints.fill(seen.checkpoints.map((c) => [
      count(c.epoch), time(c.time_ms), span(c.seconds), span(c.stall_seconds), bytes(c.bytes), count(c.rows_in), c.savepoint?.name ?? "",
    ]));
    savepoints.fill(seen.savepoints.map((s) => [s.name, time(s.time_ms), count(s.epoch), count(s.rows_in), bytes(s.bytes)]));
  }, (error) => say(told, error));
  if (context.actions) root.append(form(context.base, told, () => loop.now()));
  root.append(told, savepoints.element, hint, checkpoints.element);
  return { close: loop.stop };
}
