// Shows the token once; the server gives a session in a cookie that scripts can't read.
const form = document.getElementById("form");
const error = document.getElementById("error");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  error.textContent = "";
  const answer = await fetch("/api/session", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token: document.getElementById("token").value }),
  });
  if (answer.ok) {
    location.replace("/");
  } else {
    error.textContent = (await answer.json()).error;
  }
});
