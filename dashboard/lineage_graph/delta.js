/* What differs between two instants, drawn over the picture: added (green, +), removed (red, dashed, −), changed (amber, ~).
 *
 * Colour never stands alone: removed lines are dashed, cards carry a sign. Works with both pens, so it is in every file too.
 */
(function () {
  "use strict";
  const parts = globalThis.dashboard_lineage_graph.parts;
  const SIGNS = { added: "+ new", removed: "− gone", changed: "~ changed" };
  const colour = (theme, delta) => ({ added: theme.ok, removed: theme.bad, changed: theme.find })[delta];

  /** Lines, below the cards. What was removed is dashed over an erased line, so that nothing shines through the gaps. */
  parts.deltaEdges = function (view, pen) {
    const { model, theme, k } = view;
    const scale = Math.max(1, 0.8 / k);
    for (const delta of ["added", "removed", "changed"]) {
      const edges = model.edges.filter((edge) => edge.delta === delta);
      if (!edges.length) continue;
      const lines = edges.map((edge) => parts.linePath(model, edge, -1, -1)), stroke = colour(theme, delta), width = 2.6 * scale;
      if (delta === "removed") pen.paths(lines, { stroke: theme.canvas, width: width + 1 });
      pen.paths(lines, { stroke, width, dash: delta === "removed" ? [8 * scale, 6 * scale] : null });
      pen.paths(edges.map((edge) => arrow(model, edge, scale)), { fill: stroke });
    }
  };

  /** Outlines and signs of the cards, above everything. */
  parts.deltaCards = function (view, pen) {
    for (const node of view.model.nodes) {
      if (!node.delta) continue;
      pen.alpha(view.hl && !view.hl.nodes.has(node.i) ? 0.3 : 1);
      card(view, pen, node);
    }
    pen.alpha(1);
  };

  function arrow(model, edge, scale) {
    const node = model.nodes[edge.b], size = 6 * Math.min(scale, 2.2);
    const x = node.cx - 1, y = parts.portY(model, node, -1);
    return [["M", x - size * 1.5, y - size * 0.8], ["L", x, y], ["L", x - size * 1.5, y + size * 0.8], ["Z"]];
  }

  function card(view, pen, node) {
    const { theme, k } = view;
    const stroke = colour(theme, node.delta), unit = Math.max(1, 0.6 / k);
    const dash = node.delta === "removed" ? [6 * unit, 4 * unit] : null;
    pen.rect(node.cx - 2, node.cy - 2, node.w + 4, node.ch + 4, 11, { stroke, width: 2.4 * unit, dash });
    if (k < 0.3) return;
    const size = Math.min(Math.max(10.5, 9 / k), 16), text = SIGNS[node.delta];
    const width = pen.width(text, { size, weight: 700 }) + size * 1.2;
    pen.rect(node.cx + 10, node.cy - size * 0.95, width, size * 1.6, size * 0.8, { fill: stroke });
    pen.text(text, node.cx + 10 + width / 2, node.cy - size * 0.13, { size, weight: 700, fill: theme.card, align: "center" });
  }
})();
