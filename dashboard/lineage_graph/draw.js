/* The picture itself, drawn with a pen (canvas or SVG) in picture units.
 *
 * Three steps of detail: blocks (far away), names, full cards. Sizes of text are constant on the screen as long as
 * they fit the card. Colour never stands alone: direction has arrows, certainty dashes, status a shape.
 */
(function () {
  "use strict";
  const parts = globalThis.dashboard_lineage_graph.parts;
  const BLOCKS = 0.16, FULL = 0.62, NOTE = 40;
  const MANY = 800; // edges above which detail gives way to speed
  const DASH = { certain: null, probable: [7, 5], stale: [1.5, 5] };
  const STATUS = { COMPLETE: "ok", FAIL: "bad", ABORT: "bad", RUNNING: "run", START: "run" };

  /** Colours of the current scheme, from the custom properties of theme.css. */
  parts.readTheme = function (element) {
    const css = getComputedStyle(element);
    const get = (name) => css.getPropertyValue(name).trim();
    const theme = { domains: [], tones: [] };
    for (const key of ["canvas", "dots", "card", "text", "muted", "faint", "line", "edge", "lane", "lane-line",
      "accent", "accent-soft", "up", "down", "row", "ok", "bad", "run", "find"]) theme[key] = get(`--lg-${key}`);
    for (let i = 0; i < 20; i++) theme.domains.push(get(`--domain-${i}`));
    for (let i = 0; i < 6; i++) theme.tones.push(get(`--tone-${i}`));
    theme.heat = [0, 1, 2, 3, 4].map((i) => get(`--heat-${i}`)).concat([get("--tone-5")]);
    theme.toneText = get("--tone-text");
    theme.hatch = get("--lg-hatch");
    return theme;
  };

  parts.draw = function (view, pen, area) {
    const scene = { view, pen, area, model: view.model, theme: view.theme, k: view.k, map: view.model.graph.kind === "map" };
    drawLanes(scene);
    if (view.k >= BLOCKS || view.hl || !scene.map) drawEdges(scene);
    drawColumnEdges(scene);
    if (scene.model.graph.delta) parts.deltaEdges(view, pen);
    for (const node of scene.model.nodes) {
      if (node.cx > area.x + area.w || node.cx + node.w < area.x) continue;
      if (node.cy > area.y + area.h || node.cy + node.ch < area.y) continue;
      pen.alpha((view.hl && !view.hl.nodes.has(node.i) ? 0.3 : 1) * (node.isNew ? view.fade : 1));
      drawCard(scene, node);
    }
    pen.alpha(1);
    if (view.k >= 0.3 && !scene.model.graph.traced) scene.model.nodes.forEach((node) => drawCuts(scene, node));
    if (view.k < BLOCKS) drawLaneNames(scene);
    if (scene.model.graph.delta) parts.deltaCards(view, pen);
    pen.alpha(1);
  };

  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

  function laneColor(scene, color) { return scene.theme.domains[color % 20]; }

  /** A name too wide for its lane is set smaller before it is cut. */
  function fitName(pen, lane, style) {
    const width = pen.width(lane.name, style);
    return width <= style.max ? style : { ...style, size: Math.max((style.size * style.max) / width, style.size * 0.6) };
  }

  function drawLanes(scene) {
    const { pen, theme, k } = scene;
    for (const lane of scene.model.lanes) {
      pen.rect(lane.x, lane.y, lane.w, lane.h, 14, { fill: theme.lane, stroke: theme["lane-line"], width: 1 / Math.max(k, 0.4) });
      if (k < BLOCKS) continue;
      const size = Math.min(Math.max(13, 12.5 / k), scene.map ? 30 : 25);
      const y = lane.y + (scene.map ? 29 : 18);
      const name = fitName(pen, lane, { size, weight: 650, fill: laneColor(scene, lane.color), max: lane.w - 30 });
      // the name stays at the edge of the screen while the lane is panned
      const left = clamp(scene.area.x + 14 / k, lane.x + 16, Math.max(lane.x + 16, lane.x + lane.w - 260 / k));
      pen.text(lane.name, left, y, name);
      const shown = parts.fitText(pen.measure, lane.name, name, name.max);
      const width = pen.width(shown, name);
      const room = lane.w - width - 60;
      if (room > NOTE) pen.text(lane.note, left + width + size * 0.7, y, { size: size * 0.86, fill: theme.muted, max: room });
    }
  }

  function drawLaneNames(scene) {
    const { pen, theme, k } = scene;
    for (const lane of scene.model.lanes) {
      const size = Math.min(17 / k, lane.h * 0.5, lane.w * 0.3);
      const style = { size, weight: 700, fill: laneColor(scene, lane.color), align: "center", max: lane.w * 0.92 };
      const middle = lane.x + lane.w / 2, y = lane.y + lane.h / 2;
      const width = pen.width(parts.fitText(pen.measure, lane.name, style, style.max), style);
      pen.alpha(0.86);
      pen.rect(middle - width / 2 - size * 0.4, y - size * 0.75, width + size * 0.8, size * 1.5, size * 0.3, { fill: theme.card });
      pen.alpha(1);
      pen.text(lane.name, middle, y, style);
    }
  }

  function drawEdges(scene) {
    const { view, pen, theme, model } = scene;
    const hl = view.hl;
    const traced = model.graph.traced && model.cedges.length > 0;
    const plain = { certain: [], probable: [], stale: [] };
    const lit = [];
    model.edges.forEach((edge, e) => {
      const side = hl && hl.edges.get(e);
      if (side) { lit.push([edge, side]); return; }
      plain[edge.certainty].push(edge);
    });
    if (view.moving && lit.length > MANY) lit.length = 0; // drawn again when the picture rests; keeps panning smooth
    const crowd = model.edges.length > MANY && (view.moving || (scene.map && (hl || view.k < 0.3)));
    if (crowd) for (const list of Object.values(plain)) list.length = 0;
    const path = scene.map && model.edges.length > MANY ? straight : parts.linePath;
    const thin = Math.min(0.65, Math.max(0.2, 10 / Math.sqrt(model.edges.length || 1))); // few lines of a map can be seen, thousands are a ground
    pen.alpha(hl ? 0.16 : scene.map ? thin : traced ? 0.35 : 1);
    for (const kind of Object.keys(plain)) {
      const list = plain[kind];
      if (!list.length) continue;
      const style = lineStyle(scene, kind, theme.edge, 1.4);
      pen.paths(list.map((edge) => path(model, edge, -1, -1)), style);
      if (!scene.map && view.k >= 0.3) arrows(scene, list, theme.edge);
    }
    pen.alpha(1);
    for (const side of [-1, 1]) {
      const color = side < 0 ? theme.up : theme.down;
      for (const kind of Object.keys(plain)) {
        const list = lit.filter(([edge, s]) => s === side && edge.certainty === kind).map(([edge]) => edge);
        if (!list.length) continue;
        pen.paths(list.map((edge) => path(model, edge, -1, -1)), lineStyle(scene, kind, color, lit.length > MANY ? 0.8 : 2));
        if (lit.length <= MANY) arrows(scene, list, color);
      }
    }
  }

  /** A line without curves, for pictures in which nobody could see them. */
  function straight(model, edge) {
    const a = model.nodes[edge.a], b = model.nodes[edge.b];
    return [["M", a.cx + a.w, a.cy + a.ch / 2], ["L", b.cx, b.cy + b.ch / 2]];
  }

  function lineStyle(scene, kind, stroke, width) {
    const scale = Math.max(1, 0.8 / scene.k); // lines stay visible when far away
    const dash = DASH[kind];
    return { stroke, width: width * scale, dash: dash && dash.map((d) => d * scale), round: kind === "stale" };
  }

  function arrows(scene, edges, fill) {
    const { pen, model } = scene;
    const size = 5 * Math.min(Math.max(1, 0.8 / scene.k), 2.2);
    pen.paths(edges.map((edge) => {
      const node = model.nodes[edge.b];
      const row = edge.br === undefined ? -1 : edge.br;
      const x = node.cx - 1, y = parts.portY(model, node, row);
      return [["M", x - size * 1.5, y - size * 0.8], ["L", x, y], ["L", x - size * 1.5, y + size * 0.8], ["Z"]];
    }), { fill });
  }

  function drawColumnEdges(scene) {
    const { view, pen, theme, model } = scene;
    if (!model.cedges.length || view.k < BLOCKS) return;
    const hl = view.hl && view.hl.cedges.size ? view.hl : null;
    const groups = new Map();
    model.cedges.forEach((edge, e) => {
      const side = hl ? hl.cedges.get(e) || 0 : 2;
      const kind = edge.indirect ? "indirect" : edge.certainty;
      const key = `${side}|${kind}`;
      if (!groups.has(key)) groups.set(key, { side, kind, list: [] });
      groups.get(key).list.push(edge);
    });
    const sorted = Array.from(groups.values()).sort((a, b) => Math.abs(a.side % 2) - Math.abs(b.side % 2));
    for (const { side, kind, list } of sorted) {
      const color = side === -1 ? theme.up : side === 1 ? theme.down : theme.accent;
      const style = lineStyle(scene, kind === "indirect" ? "certain" : kind, color, side === -1 || side === 1 ? 1.9 : 1.3);
      if (kind === "indirect") style.dash = [3 * style.width, 2.4 * style.width];
      pen.alpha(side === 0 || (view.hl && !hl) ? 0.14 : side === 2 ? 0.75 : 1);
      pen.paths(list.map((edge) => parts.linePath(model, edge, edge.ar, edge.br)), style);
      arrows(scene, list, color);
    }
    pen.alpha(1);
  }

  function fillOf(scene, node) {
    const { view, theme } = scene;
    const told = view.marks && view.marks.by === view.overlay ? view.marks : null;
    const found = told ? told.of[node.id] : node.overlays && node.overlays[view.overlay];
    if (!found || node.hidden) return null;
    const steps = told && told.amounts ? theme.heat : theme.tones;
    return { pill: found[0], tone: steps[found[1]], unknown: found[1] === 5, light: told && told.amounts && found[1] >= 3 && found[1] < 5 };
  }

  function drawCard(scene, node) {
    const { pen, theme, view, k } = scene;
    const color = node.hidden ? theme.muted : laneColor(scene, node.color);
    const overlay = fillOf(scene, node);
    const { cx: x, cy: y, w } = node, h = node.ch;
    if (k < BLOCKS) {
      pen.rect(x, y, w, h, 6, { fill: overlay ? overlay.tone : color });
      return ring(scene, node);
    }
    const job = node.kind === "job" && h >= 40; // jobs are round, datasets have corners
    const radius = job ? scene.model.head / 2 : Math.min(10, h / 3);
    if (k > 0.4 && !scene.map) pen.rect(x, y + 1.5, w, h, radius, { fill: theme.line });
    pen.rect(x, y, w, h, radius, { fill: theme.card, stroke: theme.line, width: Math.max(1, 0.7 / k) });
    if (overlay) wash(scene, node, overlay, radius);
    if (!job) {
      pen.rect(x, y, 5, h, [radius, 0, 0, radius], { fill: color });
      pen.rect(x + 2.5, y, 2.5, h, 0, { fill: color });
    }
    ring(scene, node);
    if (h < 40) {
      pen.text(node.name, x + 13, y + h / 2, { size: Math.min(11.5 / k, h * 0.55), weight: 550, fill: theme.text, max: w - 20 });
      return;
    }
    drawHead(scene, node, color, overlay);
    drawRows(scene, node);
  }

  /** The card takes a tint of its step; what is unknown is hatched, so that it cannot be read as a step. */
  function wash(scene, node, overlay, radius) {
    const { pen, theme } = scene;
    const { cx: x, cy: y, w } = node, h = node.ch;
    if (!overlay.unknown) {
      if (/^#[0-9a-f]{6}$/i.test(overlay.tone)) pen.rect(x, y, w, h, radius, { fill: overlay.tone + "40" });
      return;
    }
    if (scene.model.nodes.length > MANY) return;
    const lines = [];
    for (let at = 12; at < w + h; at += 11) {
      const x0 = x + Math.min(at, w - 1), y0 = y + Math.max(at - w, 1), x1 = x + Math.max(at - h, 1), y1 = y + Math.min(at, h - 1);
      lines.push([["M", x0, y0], ["L", x1, y1]]);
    }
    pen.paths(lines, { stroke: theme.hatch, width: 1.2 });
  }

  function ring(scene, node) {
    const { pen, theme, view, k } = scene;
    const radius = node.kind === "job" && node.ch >= 40 ? view.model.head / 2 : Math.min(10, node.ch / 3);
    const outer = (grow, stroke, width) =>
      pen.rect(node.cx - grow, node.cy - grow, node.w + 2 * grow, node.ch + 2 * grow, radius + grow, { stroke, width });
    const unit = Math.max(1, 0.6 / k);
    if (view.find && view.find.has(node.i)) outer(4 * unit, theme.find, 3 * unit);
    if (node.id === view.model.graph.focus) outer(0, theme.accent, 1.8 * unit);
    if (node.i === view.selected) { outer(2.5 * unit, theme["accent-soft"], 5 * unit); outer(0, theme.accent, 2 * unit); }
    if (node.i === view.cursor && view.keyboard) outer(5 * unit, theme.text, 2 * unit);
  }

  function drawHead(scene, node, color, overlay) {
    const { pen, theme, k } = scene;
    const { cx: x, cy: y, w } = node, head = scene.model.head;
    const full = k >= FULL;
    const size = full ? clamp(10.8 / k, 12.5, 15) : Math.min(10.6 / k, 20);
    let right = x + w - 12;
    if (overlay) right = drawPill(scene, overlay, right, y + (full ? 16 : head / 2));
    else if (STATUS[node.status]) { drawStatus(scene, STATUS[node.status], right - 3, y + (full ? 16 : head / 2)); right -= 16; }
    if (node.loop && full) { drawLoop(pen, right - 5, y + 16, theme.muted); right -= 16; }
    let left = x + 15;
    if (full) { drawIcon(pen, node, x + 14, y + 12, color); left = x + 44; }
    else if (node.kind === "job") { drawPlay(pen, x + 17, y + head / 2, 7, { fill: color }); left = x + 31; }
    pen.text(node.name, left, y + (full ? 16 : head / 2), { size, weight: 620, fill: node.hidden ? theme.muted : theme.text, max: right - left });
    if (!full) return;
    const count = node.cols ? `${node.cols} ${node.open ? "▾" : "▸"}` : "";
    const small = clamp(9 / k, 10.5, 12);
    pen.text(node.sub, left, y + 32, { size: small, fill: theme.muted, max: x + w - left - (count ? 44 : 12) });
    if (count) pen.text(count, x + w - 11, y + 32, { size: small, weight: 550, fill: theme.muted, align: "right" });
  }

  function drawPill(scene, overlay, right, y) {
    const { pen, theme, k } = scene;
    const size = k >= FULL ? 10 : Math.min(9.5 / k, 15);
    const width = pen.width(overlay.pill, { size, weight: 650 }) + size * 1.3;
    pen.rect(right - width + 4, y - size * 0.85, width, size * 1.7, size * 0.85, { fill: overlay.tone });
    const ink = overlay.light ? "#ffffff" : theme.toneText;
    pen.text(overlay.pill, right - width / 2 + 4, y + 0.3, { size, weight: 650, fill: ink, align: "center" });
    return right - width - 2;
  }

  function drawStatus(scene, status, x, y) {
    const { pen, theme, k } = scene;
    const r = k >= FULL ? 4.2 : Math.min(4.2 / k, 7.5);
    if (status === "ok") pen.circle(x, y, r, { fill: theme.ok });
    else if (status === "run") pen.circle(x, y, r - 0.5, { stroke: theme.run, width: r * 0.5 });
    else pen.paths([[["M", x, y - r * 1.2], ["L", x + r * 1.25, y + r], ["L", x - r * 1.25, y + r], ["Z"]]], { fill: theme.bad });
  }

  function drawLoop(pen, x, y, stroke) {
    pen.paths([[["M", x + 4, y - 2], ["C", x + 1, y - 7, x - 5, y - 4, x - 4.5, y], ["C", x - 4, y + 5, x + 3, y + 5, x + 4.5, y + 1]],
      [["M", x + 5, y - 6], ["L", x + 4.4, y - 1.6], ["L", x + 0.4, y - 2.6]]], { stroke, width: 1.3 });
  }

  function drawIcon(pen, node, x, y, color) {
    pen.rect(x, y, 22, 22, 6, { fill: mix(color) });
    const line = { stroke: color, width: 1.4 };
    if (node.hidden) { pen.rect(x + 6, y + 10, 10, 7, 2, line); pen.paths([[["M", x + 8, y + 10], ["C", x + 8, y + 3, x + 14, y + 3, x + 14, y + 10]]], line); }
    else if (node.kind === "job") drawPlay(pen, x + 12, y + 11, 5, line);
    else {
      pen.rect(x + 5, y + 5, 12, 12, 2.5, line);
      pen.paths([[["M", x + 5, y + 9.5], ["L", x + 17, y + 9.5]], [["M", x + 10, y + 9.5], ["L", x + 10, y + 17]]], line);
    }
  }

  function drawPlay(pen, x, y, r, style) {
    pen.paths([[["M", x - r * 0.75, y - r], ["L", x + r, y], ["L", x - r * 0.75, y + r], ["Z"]]], style);
  }

  function mix(color) { return /^#[0-9a-f]{6}$/i.test(color) ? color + "22" : color; }

  function drawRows(scene, node) {
    const { pen, theme, view, k, model } = scene;
    if (!node.rows.length && !node.more) return;
    const count = node.rows.length + (node.more ? 1 : 0);
    const visible = Math.max(0, Math.min(count, Math.floor((node.ch - model.head) / model.row)));
    const size = k >= FULL ? clamp(10 / k, 11.5, 13) : Math.min(9.4 / k, 15);
    for (let r = 0; r < visible; r++) {
      const top = node.cy + model.head + r * model.row, middle = top + model.row / 2;
      const row = node.rows[r];
      if (!row) {
        pen.text(`+ ${node.more} more`, node.cx + 15, middle, { size: size * 0.92, fill: theme.muted });
        continue;
      }
      const side = view.hl && view.hl.rows.get(`${node.i}|${r}`);
      const chosen = node.i === view.selected && row.name === view.column;
      if (side !== undefined && view.hl && view.hl.rows.has(`${node.i}|${r}`)) pen.rect(node.cx + 6, top + 1.5, node.w - 10, model.row - 3, 5, { fill: theme.row });
      if (chosen) pen.rect(node.cx + 6, top + 1.5, node.w - 10, model.row - 3, 5, { fill: theme.row, stroke: theme.accent, width: 1.2 });
      const name = { size, mono: k >= FULL, weight: chosen || side ? 600 : 450, fill: theme.text };
      let type = k >= FULL && row.type ? row.type : "";
      const typeWidth = type ? Math.min(pen.width(type, { size: 9.5 }), 64) + 8 : 0;
      if (pen.width(row.name, name) > node.w - 30 - typeWidth) type = ""; // the name is worth more than the type
      pen.text(row.name, node.cx + 15, middle, { ...name, max: node.w - 30 - (type ? typeWidth : 0) });
      if (type) pen.text(type, node.cx + node.w - 11, middle, { size: 9.5, fill: theme.faint, align: "right", max: 64 });
    }
  }

  /** Place of the count on a cut edge; also used for clicks. */
  const written = (count) => count.toLocaleString("en"); // as all pages write numbers

  parts.cutBox = function (node, side, k) {
    const h = Math.min(20 * Math.max(1, 0.7 / k), 28), count = side < 0 ? node.cutUp : node.cutDown;
    const w = h * (0.95 + 0.36 * written(count).length);
    const y = node.cy + Math.min(46, node.ch) / 2 - h / 2;
    return { x: side < 0 ? node.cx - w - 9 : node.cx + node.w + 9, y, w, h };
  };

  function drawCuts(scene, node) {
    const { pen, theme, view, k } = scene;
    for (const side of [-1, 1]) {
      const count = side < 0 ? node.cutUp : node.cutDown;
      if (!count || scene.map) continue;
      const box = parts.cutBox(node, side, k);
      const hot = view.hot && view.hot.i === node.i && view.hot.side === side;
      pen.alpha(view.hl && !view.hl.nodes.has(node.i) ? 0.3 : 1);
      const stub = side < 0 ? [box.x + box.w, node.cx] : [node.cx + node.w, box.x];
      pen.paths([[["M", stub[0], box.y + box.h / 2], ["L", stub[1], box.y + box.h / 2]]], { stroke: theme.edge, width: 1.3 });
      pen.rect(box.x, box.y, box.w, box.h, box.h / 2, { fill: hot ? theme.accent : theme.card, stroke: hot ? theme.accent : theme.edge, width: 1 });
      pen.text(`+${written(count)}`, box.x + box.w / 2, box.y + box.h / 2 + 0.5, { size: box.h * 0.53, weight: 650, fill: hot ? theme.card : theme.accent, align: "center" });
    }
  }
})();
