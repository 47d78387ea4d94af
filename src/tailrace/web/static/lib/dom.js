// Makes elements. All text goes in as text nodes, so that no name or value of a row can become markup.

const SVG = "http://www.w3.org/2000/svg";

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Make an element of HTML: h("p", { class: "hint" }, "text", other). */
export function h(name, attributes, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** Make an element of SVG. */
export function s(name, attributes, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

/** Set the text of an element, if it has changed. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Make a table with a caption and heads; `columns` are [head, class] or heads. Give it and the function that fills it. */
export function table(caption, columns) {
  const heads = columns.map((column) => (Array.isArray(column) ? column : [column, ""]));
  const body = h("tbody");
  const element = h(
    "table", {},
    h("caption", {}, caption),
    h("thead", {}, h("tr", {}, heads.map(([head, kind]) => h("th", { scope: "col", class: kind }, head)))),
    body,
  );
  // wide tables scroll by themselves, by keyboard too
  const frame = h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption }, element);
  const fill = (rows) => {
    rows.forEach((row, place) => {
      const line = body.rows[place] ?? body.insertRow();
      row.forEach((value, column) => {
        const cell = line.cells[column] ?? line.insertCell();
        cell.className = heads[column][1];
        if (!(value instanceof Node)) say(cell, value);
        else if (cell.firstChild !== value) cell.replaceChildren(value);
      });
    });
    while (body.rows.length > rows.length) body.deleteRow(-1);
  };
  return { element: frame, fill };
}
