// Asks the server again and again, one request at a time, and not while the page can't be seen.

import { api } from "./api.js";

/** Ask `path` (a text, or what gives one) every so many ms; `seen` gets the answer, `failed` the words of an error. */
export function again(path, every, seen, failed) {
  let over = false;
  let timer = null;
  async function ask() {
    timer = null;
    if (over) return;
    try {
      if (!document.hidden) {
        const found = await api(typeof path === "function" ? path() : path);
        if (!over) seen(found);
      }
    } catch (error) {
      if (!over) failed(error.message);
    }
    if (!over) timer = setTimeout(ask, every);
  }
  ask();
  return {
    stop() { over = true; clearTimeout(timer); },
    now() { if (timer !== null) { clearTimeout(timer); ask(); } },
  };
}
