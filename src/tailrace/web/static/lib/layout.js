// Puts the nodes of a graph without circles into rows, each below all that it takes rows from.

/**
 * Lay out nodes ({ name, inputs }) from the top down; gives { width, height, places: Map(name -> { x, y }), edges }.
 * Each row is in the order of the middle of its inputs, and each node as near to it as its neighbours let it: few lines
 * cross, and most are straight.
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
    const step = size.width + size.gap;
    const left = (width - (sorted.length * step - size.gap)) / 2;
    const xs = spread(number ? sorted.map(centre) : sorted.map((_, i) => left + i * step), step, width - size.width);
    sorted.forEach((node, column) => places.set(node.name, { x: xs[column], y: number * (size.height + size.rise) }));
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

/** Move places, in ascending order, as little as may be until each is a step from the next, from 0 to `most`. */
function spread(wanted, step, most) {
  const blocks = [];
  wanted.forEach((value, i) => {
    blocks.push({ sum: value - i * step, count: 1 });
    // those that would overlap stand together, around the middle of what they want
    while (blocks.length > 1 && mean(blocks.at(-2)) > mean(blocks.at(-1))) {
      const last = blocks.pop();
      blocks.at(-1).sum += last.sum;
      blocks.at(-1).count += last.count;
    }
  });
  const room = most - (wanted.length - 1) * step;
  const starts = blocks.flatMap((block) => Array(block.count).fill(Math.min(Math.max(mean(block), 0), room)));
  return starts.map((start, i) => start + i * step);
}

function mean(block) {
  return block.sum / block.count;
}

function middle(values) {
  return values.length ? values.reduce((a, b) => a + b, 0) / values.length : 0;
}
