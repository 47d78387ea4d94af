// Asks the server; the token, if there is one, is in a cookie that scripts can't read.

/** Ask for JSON; throws an Error with the server's own words. */
export async function api(path, { method = "GET", body } = {}) {
  const answer = await fetch(path, {
    method,
    headers: method === "GET" ? {} : { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (answer.status === 401) location.assign("/login");
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.error ?? `the server answers with status ${answer.status}`);
  return found;
}

/** Listen to the feed: `seen` gets each look at the jobs, `lost` is told whether the server is away. */
export function listen(seen, lost) {
  const stream = new EventSource("/api/stream");
  stream.addEventListener("message", (event) => {
    lost(false);
    seen(JSON.parse(event.data));
  });
  stream.addEventListener("error", () => {
    lost(true);
    // a refusal ends the stream for good; what was lost for a moment the browser opens again
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => { listen(seen, lost); }, 2000);
  });
}
