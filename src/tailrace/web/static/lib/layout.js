// Puts the nodes of a graph without circles into rows, each below all that it takes rows from.

/**
 * Lay out nodes ({ name, inputs }) from the top down; gives { width, height, places: Map(name -> { x, y }), edges }.
 * Each row is in the order of the middle of its inputs, so that few lines cross.
 */
export function layout(nodes, size) {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const level = new Map();
  for (const node of nodes) place(node, byName, level);
  const rows = [];
  for (const node of nodes) (rows[level.get(node.name)] ??= []).push(node);
  const widest = Math.max(1, ...rows.map((row) => row.length));
  const width = widest * (size.width + size.gap) - size.gap;
  const places = new Map();
  rows.forEach((row, number) => {
    const centre = (node) => middle(node.inputs.map((name) => places.get(name)?.x ?? 0));
    const sorted = number ? [...row].sort((a, b) => centre(a) - centre(b)) : row;
    const left = (width - (sorted.length * (size.width + size.gap) - size.gap)) / 2;
    sorted.forEach((node, column) => {
      places.set(node.name, { x: left + column * (size.width + size.gap), y: number * (size.height + size.rise) });
    });
  });
  const edges = nodes.flatMap((node) => node.inputs.filter((n) => byName.has(n)).map((from) => ({ from, to: node.name })));
  return { width, height: rows.length * (size.height + size.rise) - size.rise, places, edges };
}

function place(node, byName, level) {
  if (level.has(node.name)) return level.get(node.name);
  const above = node.inputs.map((name) => byName.get(name)).filter(Boolean);
  const mine = Math.max(-1, ...above.map((n) => place(n, byName, level))) + 1;
  level.set(node.name, mine);
  return mine;
}

function middle(values) {
  return values.length ? values.reduce((a, b) => a + b, 0) / values.length : 0;
}
