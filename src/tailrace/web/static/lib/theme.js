// Light, dark, or as the system wants it.

const NAMES = ["auto", "light", "dark"];
const changed = new Set();

function current() {
  const kept = localStorage.getItem("tailrace-theme");
  return NAMES.includes(kept) ? kept : "auto";
}

function apply(button) {
  document.documentElement.dataset.theme = current();
  button.textContent = `Theme: ${current()}`;
  for (const told of changed) told();
}

/** Make a button that goes through the themes. */
export function themeButton(button) {
  button.addEventListener("click", () => {
    localStorage.setItem("tailrace-theme", NAMES[(NAMES.indexOf(current()) + 1) % NAMES.length]);
    apply(button);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => apply(button));
  apply(button);
}

/** Have a function called when colours have changed; gives the function that ends that. */
export function onTheme(told) {
  changed.add(told);
  return () => changed.delete(told);
}

/** Give a colour of the style sheet, by its name there. */
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
