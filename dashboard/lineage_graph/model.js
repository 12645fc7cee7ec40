/* Model of the lineage picture: indices over the graph the server sent, paths, and the geometry of lines.
 *
 * Plain functions without a screen. A graph has
 *   nodes  [{id, name, sub, kind, domain, color, x, y, w, h, rows: [{id, name, type, up, down}], more, cols, open,
 *            cutUp, cutDown, status, loop, hidden, overlays}]
 *   edges  [{a, b, certainty, back, via: [[x0, x1, y], …]}]            a, b: indices of nodes
 *   cedges [{a, ar, b, br, indirect, certainty}]                       ar, br: row of the card, -1 = whole dataset
 *   flows  [{a, b, jobs}]            only when jobs are cards: which datasets feed which, through which cards
 *   lanes  [{name, note, color, x, y, w, h}], kind "layers" | "map", focus, key, head, row
 */
(function () {
  "use strict";
  const ns = (globalThis.dashboard_lineage_graph = globalThis.dashboard_lineage_graph || {});
  const parts = (ns.parts = ns.parts || {});
  const BULGE = 30; // of a line that turns round beside a card; less than half the gap between two ranks

  /** Index `graph`; cards that were in `previous` start where they stood, so that they can glide. */
  parts.buildModel = function (graph, previous) {
    const nodes = graph.nodes.map((node, i) => {
      const old = previous && previous.byId.get(node.id);
      const start = old ? { cx: old.cx, cy: old.cy, ch: old.ch } : { cx: node.x, cy: node.y, ch: node.h };
      return Object.assign({}, node, start, { i, isNew: Boolean(previous) && !old });
    });
    const model = {
      graph, nodes, byId: new Map(nodes.map((node) => [node.id, node])),
      edges: graph.edges, cedges: graph.cedges, lanes: graph.lanes, head: graph.head, row: graph.row,
      out: nodes.map(() => []), in: nodes.map(() => []), cout: new Map(), cin: new Map(),
    };
    model.edges.forEach((edge, e) => { model.out[edge.a].push(e); model.in[edge.b].push(e); });
    model.flows = graph.flows ? flowIndex(model, graph.flows) : null;
    model.cedges.forEach((edge, e) => {
      push(model.cout, `${edge.a}|${edge.ar}`, e);
      push(model.cin, `${edge.b}|${edge.br}`, e);
    });
    return model;
  };

  /** Flows by their ends, each with the arrows of the picture it runs over. */
  function flowIndex(model, flows) {
    const arrow = new Map(model.edges.map((edge, e) => [`${edge.a}|${edge.b}`, e]));
    const index = { out: model.nodes.map(() => []), in: model.nodes.map(() => []) };
    for (const flow of flows) {
      const direct = arrow.get(`${flow.a}|${flow.b}`);
      const edges = direct === undefined ? [] : [direct], jobs = [];
      for (const job of flow.jobs) {
        const into = arrow.get(`${flow.a}|${job}`), from = arrow.get(`${job}|${flow.b}`);
        if (into !== undefined && from !== undefined) { edges.push(into, from); jobs.push(job); }
      }
      index.out[flow.a].push({ next: flow.b, edges, jobs });
      index.in[flow.b].push({ next: flow.a, edges, jobs });
    }
    return index;
  }

  /** Steps from node `i` to one side: {next, edges it lights, jobs it lights}. */
  function steps(model, i, side, start) {
    if (model.flows && model.nodes[i].kind !== "job") return side < 0 ? model.flows.in[i] : model.flows.out[i];
    // a walk does not pass through a job: that would invent pairs of its inputs and outputs
    if (i !== start && model.nodes[i].kind === "job") return [];
    return (side < 0 ? model.in[i] : model.out[i]).map((e) => ({ next: side < 0 ? model.edges[e].a : model.edges[e].b, edges: [e], jobs: [] }));
  }

  function push(map, key, value) {
    if (map.has(key)) map.get(key).push(value); else map.set(key, [value]);
  }

  /** Everything up- and downstream of node `start`: maps from node and edge index to -1 (upstream) or 1. */
  parts.reach = function (model, start) {
    const found = { nodes: new Map([[start, 0]]), edges: new Map(), cedges: new Map(), rows: new Map() };
    for (const side of [-1, 1]) {
      const seen = new Set([start]);
      const queue = [start];
      while (queue.length) {
        for (const { next, edges, jobs } of steps(model, queue.pop(), side, start)) {
          for (const e of edges) if (!found.edges.has(e)) found.edges.set(e, side);
          for (const job of jobs) if (!found.nodes.has(job)) found.nodes.set(job, side);
          if (seen.has(next)) continue;
          seen.add(next);
          if (!found.nodes.has(next)) found.nodes.set(next, side);
          queue.push(next);
        }
      }
    }
    return found;
  };

  /** The same for row `row` of node `start`, over column lines. */
  parts.reachColumn = function (model, start, row) {
    const found = { nodes: new Map([[start, 0]]), edges: new Map(), cedges: new Map(), rows: new Map() };
    found.rows.set(`${start}|${row}`, 0);
    for (const side of [-1, 1]) {
      const seen = new Set([`${start}|${row}`]);
      const queue = [[start, row]];
      while (queue.length) {
        const [i, r] = queue.pop();
        for (const e of columnEdges(model, i, r, side)) {
          const edge = model.cedges[e];
          const next = side < 0 ? [edge.a, edge.ar] : [edge.b, edge.br];
          const key = `${next[0]}|${next[1]}`;
          if (!found.cedges.has(e)) found.cedges.set(e, side);
          if (seen.has(key)) continue;
          seen.add(key);
          if (!found.nodes.has(next[0])) found.nodes.set(next[0], side);
          found.rows.set(key, side);
          queue.push(next);
        }
      }
    }
    return found;
  };

  function columnEdges(model, i, row, side) {
    const map = side < 0 ? model.cin : model.cout;
    const list = (map.get(`${i}|${row}`) || []).slice();
    if (side < 0 && row >= 0) list.push(...(map.get(`${i}|-1`) || [])); // what filters the rows reaches each column
    if (side > 0 && row < 0) model.nodes[i].rows.forEach((_, r) => list.push(...(map.get(`${i}|${r}`) || [])));
    return list;
  }

  /** Height of the port of a row; -1 is the card itself. */
  parts.portY = function (model, node, row) {
    if (row < 0 || row >= node.rows.length + (node.more ? 1 : 0)) return node.cy + Math.min(model.head, node.ch) / 2;
    return node.cy + model.head + (row + 0.5) * model.row;
  };

  /** One piece of a line: an S between two ranks, a C beside one rank (`side` 1 = right of it, -1 = left). */
  parts.curve = function (path, x0, y0, x1, y1, side) {
    if (Math.abs(x0 - x1) < 0.5) path.push(["C", x0 + side * BULGE, y0, x0 + side * BULGE, y1, x1, y1]);
    else if (x1 > x0 || side === 0) path.push(["C", (x0 + x1) / 2, y0, (x0 + x1) / 2, y1, x1, y1]);
    else path.push(["C", x0 + 70, y0, x1 - 70, y1, x1, y1]);
  };

  /** Path of an edge between two ports through its corridors, as [op, …numbers]. */
  parts.linePath = function (model, edge, rowA, rowB) {
    const a = model.nodes[edge.a], b = model.nodes[edge.b];
    let x = a.cx + a.w, y = parts.portY(model, a, rowA);
    const path = [["M", x, y]];
    const steps = edge.via.concat([[b.cx, b.cx, parts.portY(model, b, rowB)]]);
    steps.forEach(([x0, x1, at], n) => {
      const side = edge.back ? (n === 0 ? 1 : n === steps.length - 1 ? -1 : 0) : 1;
      parts.curve(path, x, y, x0, at, side);
      if (x1 !== x0) path.push(["L", x1, at]);
      x = x1; y = at;
    });
    return path;
  };

  /** Smallest rectangle around all cards and lanes. */
  parts.bounds = function (model) {
    let x0 = Infinity, y0 = Infinity, x1 = -Infinity, y1 = -Infinity;
    for (const box of model.nodes.concat(model.lanes)) {
      x0 = Math.min(x0, box.x); y0 = Math.min(y0, box.y);
      x1 = Math.max(x1, box.x + box.w); y1 = Math.max(y1, box.y + box.h);
    }
    if (x0 === Infinity) return { x: 0, y: 0, w: 1, h: 1 };
    const margin = model.lanes.length ? 0 : 48; // room for the counts on cut edges
    return { x: x0 - margin, y: y0, w: x1 - x0 + 2 * margin, h: y1 - y0 };
  };

  /** Next card in a direction: left and right follow lines, up and down go through the rank. */
  parts.neighbour = function (model, i, key) {
    const from = model.nodes[i];
    const distance = (node) => Math.abs(node.y + node.h / 2 - from.y - from.h / 2) + Math.abs(node.x - from.x) / 10;
    let list;
    if (key === "ArrowLeft") list = model.in[i].map((e) => model.nodes[model.edges[e].a]);
    else if (key === "ArrowRight") list = model.out[i].map((e) => model.nodes[model.edges[e].b]);
    else {
      const sign = key === "ArrowUp" ? -1 : 1;
      list = model.nodes.filter((node) => Math.abs(node.x - from.x) < 1 && (node.y - from.y) * sign > 0);
    }
    return list.length ? list.reduce((best, node) => (distance(node) < distance(best) ? node : best)).i : null;
  };

  /** What a screen reader says about a card. */
  parts.describe = function (model, i) {
    const node = model.nodes[i];
    const up = model.in[i].length + node.cutUp, down = model.out[i].length + node.cutDown;
    const status = node.status ? `, last run ${node.status.toLowerCase()}` : "";
    return `${node.full || node.name}, ${node.kind}, domain ${node.domain}${status}, ${up} directly upstream, ` +
      `${down} directly downstream, ${node.cols} columns`;
  };
})();
