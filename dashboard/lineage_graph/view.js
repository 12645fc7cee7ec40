/* The view: one canvas, its viewport (pan, zoom, glide), what is highlighted, the minimap, pictures for download. */
(function () {
  "use strict";
  const parts = globalThis.dashboard_lineage_graph.parts;
  const GLIDE = 300, MIN_K = 0.03, MAX_K = 2.5, PAD = 28, READABLE = 0.46, WHOLE = 0.32;
  const quiet = () => globalThis.matchMedia && matchMedia("(prefers-reduced-motion: reduce)").matches;
  const ease = (t) => 1 - Math.pow(1 - t, 3);

  /** Box around the most cards that fit into `room` together with the focus: {x, y, w, h}. */
  parts.bestWindow = function (nodes, focus, room) {
    const starts = (axis, size, length) =>
      Array.from(new Set(nodes.map((node) => node[axis]))).filter((at) => at <= focus[axis] && at + length >= focus[axis] + focus[size]);
    let best = [focus];
    for (const x of starts("x", "w", room.w)) {
      const column = nodes.filter((node) => node.x >= x && node.x + node.w <= x + room.w);
      for (const y of column.length > best.length ? starts("y", "h", room.h) : []) {
        const inside = column.filter((node) => node.y >= y && node.y + node.h <= y + room.h);
        if (inside.length > best.length) best = inside;
      }
    }
    const x = Math.min(...best.map((node) => node.x)), y = Math.min(...best.map((node) => node.y));
    const right = Math.max(...best.map((node) => node.x + node.w)), bottom = Math.max(...best.map((node) => node.y + node.h));
    return { x, y, w: right - x, h: bottom - y };
  };

  parts.View = class {
    constructor(canvas) {
      this.canvas = canvas;
      this.ctx = canvas.getContext("2d");
      this.pen = new parts.CanvasPen(this.ctx);
      Object.assign(this, { k: 1, tx: 0, ty: 0, width: 1, height: 1, selected: null, column: null, hover: null,
        cursor: null, keyboard: false, hot: null, hl: null, overlay: "domain", marks: null, find: null, fade: 1, moving: false,
        model: parts.buildModel({ nodes: [], edges: [], cedges: [], lanes: [], head: 46, row: 22, kind: "layers" }) });
      this.refreshTheme();
      this.observer = new MutationObserver(() => { this.refreshTheme(); this.redraw(); });
      this.observer.observe(document.documentElement, { attributes: true, attributeFilter: ["data-mantine-color-scheme"] });
      this.resizer = new ResizeObserver(() => this.resize());
      this.resizer.observe(canvas.parentElement);
      if (document.fonts && document.fonts.ready) document.fonts.ready.then(() => this.redraw());
    }

    destroy() {
      this.observer.disconnect();
      this.resizer.disconnect();
      cancelAnimationFrame(this.frame);
      this.frame = -1;
    }

    /** Text, step and reason of the overlay on a card, if it has one. */
    markOf(node) { return this.marks && this.marks.by === this.overlay && !node.hidden ? this.marks.of[node.id] : null; }

    refreshTheme() { this.theme = parts.readTheme(document.documentElement); }

    resize() {
      const box = this.canvas.parentElement.getBoundingClientRect();
      if (!box.width || !box.height) return;
      const first = this.width <= 1;
      const ratio = Math.min(globalThis.devicePixelRatio || 1, 2);
      const [dx, dy] = first ? [0, 0] : [(box.width - this.width) / 2, (box.height - this.height) / 2];
      this.width = box.width; this.height = box.height; this.ratio = ratio;
      this.canvas.width = Math.round(box.width * ratio);
      this.canvas.height = Math.round(box.height * ratio);
      this.canvas.style.width = `${box.width}px`;
      this.canvas.style.height = `${box.height}px`;
      this.tx += dx; this.ty += dy;
      if (first || !this.touched) this.open(true);
      this.paint();
    }

    /** Show another graph. The viewport stays unless the focus is a new one. */
    setGraph(graph) {
      const before = this.model;
      const same = before.graph.key === graph.key && before.nodes.length > 0;
      const anchor = same ? before.byId.get(this.anchor || graph.focus) : null;
      this.model = parts.buildModel(graph, same ? before : null);
      this.hover = this.hot = null;
      this.cursor = null;
      const kept = anchor && this.model.byId.get(anchor.id);
      if (kept && this.touched) { // keep the card that was clicked under the pointer
        const dx = (kept.x - anchor.cx) * this.k, dy = (kept.y - anchor.cy) * this.k;
        this.target = { k: this.k, tx: this.tx - dx, ty: this.ty - dy };
      } else if (!same) { this.touched = false; this.open(true); } else this.open(false);
      this.glide();
      this.highlight();
    }

    /** Tell the page (and its tests) how many cards are drawn and whether they have come to rest. */
    mark(settled) {
      const { dataset } = this.canvas.parentElement;
      dataset.nodes = this.model.nodes.length;
      dataset.rows = this.model.nodes.reduce((sum, node) => sum + node.rows.length, 0);
      dataset.settled = settled;
    }

    glide() {
      const moves = this.target || this.model.nodes.some((n) => n.isNew || n.cx !== n.x || n.cy !== n.y || n.ch !== n.h);
      const start = performance.now(), length = quiet() || !moves ? 1 : GLIDE; // a new picture stands at once
      const origin = { k: this.k, tx: this.tx, ty: this.ty };
      const from = this.model.nodes.map((node) => [node.cx, node.cy, node.ch]);
      const run = (this.run = {});
      const step = (now) => {
        if (this.frame === -1 || this.run !== run) return; // gone, or a newer glide took over
        const t = Math.min(1, Math.max(0, (now - start) / length)), e = ease(t);
        this.model.nodes.forEach((node, i) => {
          const [x, y, h] = from[i];
          node.cx = x + (node.x - x) * e; node.cy = y + (node.y - y) * e; node.ch = h + (node.h - h) * e;
        });
        if (this.target) for (const key of ["k", "tx", "ty"]) this[key] = origin[key] + (this.target[key] - origin[key]) * e;
        this.fade = e;
        if (t >= 1) { this.target = null; this.mark(true); } else requestAnimationFrame(step);
        this.paint();
      };
      this.mark(false);
      requestAnimationFrame(step);
    }

    fitScale(area) {
      return Math.max(Math.min((this.width - 2 * PAD) / area.w, (this.height - 2 * PAD) / area.h, 1.15), MIN_K);
    }

    fit(now) {
      const area = parts.bounds(this.model);
      this.look(this.fitScale(area), area.x + area.w / 2, area.y + area.h / 2, now);
      this.touched = false;
    }

    /** First look at a picture: all of it while names can be read, else the focus among as many cards as possible. */
    open(now) {
      const area = parts.bounds(this.model), focus = this.model.byId.get(this.model.graph.focus);
      if (this.fitScale(area) >= WHOLE || !focus || this.model.graph.kind === "map") { this.fit(now); return; }
      const room = { w: (this.width - 2 * PAD) / READABLE, h: (this.height - 2 * PAD) / READABLE };
      const seen = parts.bestWindow(this.model.nodes, focus, room);
      this.look(Math.max(READABLE, this.fitScale(seen)), seen.x + seen.w / 2, seen.y + seen.h / 2, now);
      this.touched = false;
    }

    look(k, x, y, now) {
      const target = { k, tx: this.width / 2 - x * k, ty: this.height / 2 - y * k };
      if (now) Object.assign(this, target), (this.target = null), this.redraw();
      else { this.target = target; this.glide(); }
    }

    centre(i) {
      const node = this.model.nodes[i];
      if (!node) return;
      this.touched = true;
      this.look(Math.max(this.k, 0.75), node.x + node.w / 2, node.y + node.h / 2, false);
    }

    /** Move the viewport only when card `i` is not in it. */
    reveal(i) {
      const node = this.model.nodes[i];
      const [x, y] = this.toScreen(node.x, node.y);
      const inside = x > 0 && y > 0 && x + node.w * this.k < this.width && y + node.h * this.k < this.height;
      if (!inside) this.centre(i);
    }

    zoom(factor, x = this.width / 2, y = this.height / 2) {
      const k = Math.min(MAX_K, Math.max(MIN_K, this.k * factor));
      this.tx = x - ((x - this.tx) / this.k) * k;
      this.ty = y - ((y - this.ty) / this.k) * k;
      this.k = k;
      this.touched = true;
      this.target = null;
      this.redraw();
    }

    pan(dx, dy) { this.tx += dx; this.ty += dy; this.touched = true; this.target = null; this.redraw(); }

    toWorld(x, y) { return [(x - this.tx) / this.k, (y - this.ty) / this.k]; }

    toScreen(x, y) { return [x * this.k + this.tx, y * this.k + this.ty]; }

    /** What lies under a point of the screen: {i, row} of a card, {i, side} of a cut edge, or null. */
    hit(sx, sy) {
      const [x, y] = this.toWorld(sx, sy);
      const { nodes, head, row, graph } = this.model;
      for (let i = nodes.length - 1; i >= 0; i--) {
        const node = nodes[i];
        if (x >= node.cx && x <= node.cx + node.w && y >= node.cy && y <= node.cy + node.ch) {
          const r = Math.floor((y - node.cy - head) / row);
          const count = node.rows.length + (node.more ? 1 : 0);
          const toggle = r < 0 && node.cols > 0 && x > node.cx + node.w - 44 && y > node.cy + head / 2 && this.k >= 0.62;
          return { i, row: r >= 0 && r < count ? r : -1, toggle };
        }
        if (graph.kind === "map" || graph.traced || this.k < 0.3) continue;
        for (const side of [-1, 1]) {
          if (!(side < 0 ? node.cutUp : node.cutDown)) continue;
          const box = parts.cutBox(node, side, this.k);
          if (x >= box.x - 3 && x <= box.x + box.w + 3 && y >= box.y - 3 && y <= box.y + box.h + 3) return { i, side };
        }
      }
      return null;
    }

    /** Recompute the lit path: a column wins over a card, the pointer over the selection. */
    highlight() {
      const { model } = this;
      const at = this.hover || (this.selected !== null ? { i: this.selected, row: this.rowOf(this.selected, this.column) } : null);
      const node = at && model.nodes[at.i];
      if (!node) this.hl = null;
      else if (at.row >= 0 && node.rows[at.row] && model.cedges.length) this.hl = parts.reachColumn(model, at.i, at.row);
      else this.hl = parts.reach(model, at.i);
      this.redraw();
    }

    rowOf(i, column) {
      const node = this.model.nodes[i];
      return node && column ? node.rows.findIndex((row) => row.name === column) : -1;
    }

    redraw() {
      if (this.pending || this.frame === -1) return;
      this.pending = true;
      this.frame = requestAnimationFrame(() => { this.pending = false; this.paint(); });
    }

    paint() {
      const { ctx, theme, ratio } = this;
      if (!ratio) return;
      ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
      ctx.fillStyle = theme.canvas;
      ctx.fillRect(0, 0, this.width, this.height);
      this.dots();
      ctx.setTransform(ratio * this.k, 0, 0, ratio * this.k, ratio * this.tx, ratio * this.ty);
      const [x, y] = this.toWorld(0, 0);
      parts.draw(this, this.pen, { x, y, w: this.width / this.k, h: this.height / this.k });
      ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
      this.minimap();
      this.painted = (this.painted || 0) + 1;
    }

    dots() {
      const step = 24 * Math.max(1, Math.pow(2, Math.round(Math.log2(1 / this.k)))) * this.k;
      if (step < 12) return;
      const { ctx } = this;
      ctx.fillStyle = this.theme.dots;
      for (let x = this.tx % step; x < this.width; x += step) {
        for (let y = this.ty % step; y < this.height; y += step) ctx.fillRect(x, y, 1.2, 1.2);
      }
    }

    /** The minimap hides itself while everything is in view. */
    minimap() {
      const area = parts.bounds(this.model);
      const [x0, y0] = this.toScreen(area.x, area.y);
      const [x1, y1] = this.toScreen(area.x + area.w, area.y + area.h);
      this.mini = null;
      if (!this.model.nodes.length || this.width < 480) return;
      if (x0 >= -8 && y0 >= -8 && x1 <= this.width + 8 && y1 <= this.height + 8) return;
      const room = this.width < 800 ? 0.72 : 1;
      const scale = Math.min((176 * room) / area.w, (112 * room) / area.h), w = area.w * scale, h = area.h * scale;
      const x = this.width - w - 22, y = this.height - h - 22, { theme, pen, ctx } = this;
      this.mini = { x, y, w, h, scale, area };
      pen.rect(x - 8, y - 8, w + 16, h + 16, 10, { fill: theme.card, stroke: theme.line, width: 1 });
      for (const node of this.model.nodes) {
        ctx.fillStyle = node.i === this.selected ? theme.accent : theme.domains[node.color % 20];
        ctx.globalAlpha = this.hl && !this.hl.nodes.has(node.i) ? 0.25 : 0.9;
        ctx.fillRect(x + (node.cx - area.x) * scale, y + (node.cy - area.y) * scale, Math.max(node.w * scale, 2), Math.max(node.ch * scale, 1.5));
      }
      ctx.globalAlpha = 1;
      const [wx, wy] = this.toWorld(0, 0);
      const left = Math.max(x - 4, x + (wx - area.x) * scale), top = Math.max(y - 4, y + (wy - area.y) * scale);
      const right = Math.min(x + w + 4, x + (wx + this.width / this.k - area.x) * scale);
      const bottom = Math.min(y + h + 4, y + (wy + this.height / this.k - area.y) * scale);
      pen.rect(left, top, Math.max(right - left, 4), Math.max(bottom - top, 4), 4, { stroke: theme.accent, width: 1.5 });
    }

    /** Centre the viewport on a point of the minimap; false when the point is not on it. */
    jump(sx, sy) {
      const mini = this.mini;
      if (!mini || sx < mini.x - 8 || sy < mini.y - 8 || sx > mini.x + mini.w + 8 || sy > mini.y + mini.h + 8) return false;
      this.touched = true;
      this.look(this.k, mini.area.x + (sx - mini.x) / mini.scale, mini.area.y + (sy - mini.y) / mini.scale, true);
      return true;
    }

    /** The whole picture, drawn anew from the model: nothing can be missing because it was off the screen. */
    exportSvg() {
      const area = this.exportArea();
      const pen = new parts.SvgPen(document.createElement("canvas").getContext("2d"));
      parts.draw(this.still(), pen, area);
      return pen.svg(area, this.theme.canvas);
    }

    exportPng() {
      const area = this.exportArea();
      const scale = Math.min(2, 12000 / Math.max(area.w, area.h));
      const canvas = document.createElement("canvas");
      canvas.width = Math.ceil(area.w * scale);
      canvas.height = Math.ceil(area.h * scale);
      const ctx = canvas.getContext("2d");
      ctx.fillStyle = this.theme.canvas;
      ctx.fillRect(0, 0, canvas.width, canvas.height);
      ctx.setTransform(scale, 0, 0, scale, -area.x * scale, -area.y * scale);
      parts.draw(this.still(), new parts.CanvasPen(ctx), area);
      return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
    }

    exportArea() {
      const area = parts.bounds(this.model);
      return { x: area.x - 24, y: area.y - 24, w: area.w + 48, h: area.h + 48 };
    }

    /** This view without what belongs to the screen only. */
    still() {
      return { model: this.model, theme: this.theme, k: 1, hl: this.hl, selected: this.selected, column: this.column,
        overlay: this.overlay, marks: this.marks, find: null, fade: 1, moving: false, hot: null, keyboard: false };
    }
  };
})();
