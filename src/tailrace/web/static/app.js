// The frame: which job, which page, and the feed that both live on.
//
// A page is a module `pages/NAME.js` that exports `open(root, context)`. It fills `root`, and gives an object with
// `update(job, at)`, called once a second with what is seen of the job, and, if it has to clean up, `close()`.
// `context` has `job` (its id), `actions` (whether anything may be changed) and `base` (the address of the job).

import { api, listen } from "./lib/api.js";
import { h, say } from "./lib/dom.js";
import { themeButton } from "./lib/theme.js";

const select = document.getElementById("job");
const state = document.getElementById("state");
const notice = document.getElementById("notice");
const content = document.getElementById("content");
const navigation = document.getElementById("pages");

let session = { pages: [] };
let jobs = [];
let shown = { job: null, page: null, view: null };

/** Read the address: `#/PAGE/JOB`. */
function wanted() {
  const [, page, job] = location.hash.split("/");
  const usual = jobs.length > 1 ? "jobs" : "graph";
  const known = session.pages.find((p) => p.name === page) ?? session.pages.find((p) => p.name === usual);
  const id = jobs.some((j) => j.id === job) ? job : jobs[0]?.id;
  return { page: known.name, title: known.title, job: id ?? null };
}

function links(page, job) {
  for (const link of navigation.children) {
    link.href = `#/${link.dataset.page}/${job ?? ""}`;
    if (link.dataset.page === page) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

async function route() {
  const { page, title, job } = wanted();
  links(page, job);
  if (page === shown.page && job === shown.job) return;
  shown.view?.close?.();
  shown = { job, page, view: null };
  const mine = shown;
  document.title = `${title} – Tailrace`;
  const root = h("div", { class: `page page-${page}` });
  content.replaceChildren(h("h1", {}, title), root);
  if (job === null) {
    root.append(h("p", { class: "empty" }, "No job has started yet."));
    return;
  }
  select.value = job;
  try {
    const module = await import(`./pages/${page}.js`);
    if (mine !== shown) return; // another page was chosen meanwhile
    mine.view = module.open(root, { job, actions: session.actions, base: `/api/jobs/${job}` });
    update();
  } catch (error) {
    root.append(h("p", { class: "notice" }, `This page can't be shown: ${error.message}`));
  }
}

function choices() {
  const names = jobs.map((job) => [job.id, job.where ? `${job.name} at ${job.where}` : job.name]);
  if (JSON.stringify(names) === select.dataset.names) return;
  select.dataset.names = JSON.stringify(names);
  select.replaceChildren(...names.map(([id, name]) => h("option", { value: id }, name)));
  if (shown.job) select.value = shown.job;
}

let last = 0;

function update() {
  const job = jobs.find((j) => j.id === shown.job);
  if (job === undefined) return;
  say(state, job.state);
  state.dataset.state = job.state;
  shown.view?.update?.(job, last, jobs);
}

function seen(event) {
  jobs = event.jobs;
  last = event.at;
  const away = silent(event.away ?? {});
  notice.hidden = away === "";
  say(notice, away);
  choices();
  route();
  update();
}

/** Tell of servers that do not answer; gives nothing if all do. */
function silent(away) {
  return Object.entries(away).map(([where, why]) => `${where} does not answer: ${why}.`).join(" ");
}

function lost(away) {
  notice.hidden = !away;
  if (away) say(notice, "The job does not answer: it has ended, or can't be reached. What is shown is the last that was seen.");
}

async function start() {
  themeButton(document.getElementById("theme"));
  session = await api("/api/session");
  if (!session.known) {
    location.assign("/login");
    return;
  }
  const out = document.getElementById("sign-out");
  out.hidden = !session.locked;
  out.addEventListener("click", async () => {
    await api("/api/session", { method: "DELETE" });
    location.assign("/login");
  });
  navigation.replaceChildren(...session.pages.map((p) => h("a", { "data-page": p.name }, p.title)));
  select.addEventListener("change", () => { location.hash = `#/${shown.page}/${select.value}`; });
  window.addEventListener("hashchange", () => {
    route();
    content.focus({ preventScroll: true });
  });
  listen(seen, lost);
}

start();
