/* The Dash component: a canvas, its pointer and keyboard, a live region, and the properties Dash reads and writes.
 *
 * In:  graph, selection {id, column}, overlay, marks {by, amounts, of: {id: [text, step, why]}}, find (text), command {cmd, n, name}
 * Out: selected {id, column, columnId, n}, action {type, id, side, n}    type: expand, toggle, more, focus, help
 */
(function () {
  "use strict";
  const ns = globalThis.dashboard_lineage_graph;
  const parts = ns.parts;
  const React = globalThis.React;
  const CLICK = 5; // pixels the pointer may move in a click

  function inputs(view, host, send) {
    const pointers = new Map();
    let start = null, spread = 0, mini = false;
    const at = (event) => {
      const box = view.canvas.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    const gap = () => {
      const [a, b] = Array.from(pointers.values());
      return [Math.hypot(a[0] - b[0], a[1] - b[1]), (a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
    };

    function down(event) {
      if (event.button > 0) return;
      host.focus({ preventScroll: true });
      view.keyboard = false;
      const point = at(event);
      pointers.set(event.pointerId, point);
      view.canvas.setPointerCapture(event.pointerId);
      start = { point, moved: false };
      mini = view.jump(point[0], point[1]);
      if (pointers.size === 2) spread = gap()[0];
    }

    function move(event) {
      const point = at(event), last = pointers.get(event.pointerId);
      if (!last) return hover(point, event);
      pointers.set(event.pointerId, point);
      if (mini) { view.jump(point[0], point[1]); return; }
      if (pointers.size === 2) {
        const [now, x, y] = gap();
        view.zoom(now / spread, x, y);
        spread = now;
        start.moved = true;
        return;
      }
      if (Math.hypot(point[0] - start.point[0], point[1] - start.point[1]) > CLICK) start.moved = true;
      if (!start.moved) return;
      view.moving = true;
      host.classList.add("is-panning");
      view.pan(point[0] - last[0], point[1] - last[1]);
    }

    function up(event) {
      if (!pointers.delete(event.pointerId)) return;
      host.classList.remove("is-panning");
      const clicked = start && !start.moved && !mini && event.type === "pointerup";
      mini = false;
      view.moving = false;
      if (clicked) send.click(view.hit(...at(event)), event);
      view.redraw();
    }

    function hover(point, event) {
      if (event.pointerType === "touch") return;
      const hit = view.hit(point[0], point[1]);
      const hot = hit && hit.side ? hit : null;
      const over = hit && !hit.side ? { i: hit.i, row: hit.row } : null;
      host.style.cursor = hit ? "pointer" : "";
      const changed = JSON.stringify([over, hot]) !== JSON.stringify([view.hover, view.hot]);
      if (!changed) return;
      view.hot = hot;
      view.hover = over;
      view.highlight();
      send.hover(hit, point);
    }

    function leave() { view.hover = view.hot = null; view.highlight(); send.hover(null); }

    function wheel(event) {
      event.preventDefault();
      const [x, y] = at(event);
      const lines = event.deltaMode === 1 ? 16 : 1;
      view.zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0016)), x, y);
    }

    function double(event) {
      const hit = view.hit(...at(event));
      if (hit && !hit.side && !view.model.nodes[hit.i].hidden) send.act("focus", hit.i);
    }

    const canvas = view.canvas;
    const handlers = { pointerdown: down, pointermove: move, pointerup: up, pointercancel: up, pointerleave: leave, dblclick: double };
    for (const [name, handler] of Object.entries(handlers)) canvas.addEventListener(name, handler);
    canvas.addEventListener("wheel", wheel, { passive: false });
  }

  function keys(view, send) {
    return function (event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const current = view.cursor !== null ? view.cursor : view.selected;
      const known = { f: () => view.fit(false), F: () => view.fit(false), "+": () => view.zoom(1.25), "=": () => view.zoom(1.25),
        "-": () => view.zoom(0.8), Escape: () => send.clear(), "?": () => send.act("help", null) };
      let handler = known[event.key];
      if (event.key.startsWith("Arrow")) handler = () => walk(view, event.key, current, send);
      else if (current !== null && event.key === " ") handler = () => send.act("toggle", current);
      else if (current !== null && event.key === "Enter") handler = () => send.act("focus", current);
      else if (current !== null && event.key === "[") handler = () => send.more(current, -1);
      else if (current !== null && event.key === "]") handler = () => send.more(current, 1);
      if (!handler) return;
      event.preventDefault();
      event.stopPropagation();
      view.keyboard = true;
      handler();
      view.redraw();
    };
  }

  function walk(view, key, current, send) {
    const { model } = view;
    if (!model.nodes.length) return;
    const focus = model.byId.get(model.graph.focus);
    const next = current === null ? (focus ? focus.i : 0) : parts.neighbour(model, current, key);
    if (next === null) { send.say("No node in this direction."); return; }
    view.cursor = next;
    send.select(next, null);
    view.reveal(next);
  }

  function download(blob, name) {
    const url = URL.createObjectURL(blob);
    const link = document.createElement("a");
    link.href = url;
    link.download = name;
    document.body.appendChild(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }

  function tooltip(element, view, hit, point) {
    element.hidden = !hit;
    if (!hit) return;
    const node = view.model.nodes[hit.i];
    const row = hit.row >= 0 && node.rows[hit.row];
    const lines = hit.side
      ? [`${hit.side < 0 ? node.cutUp : node.cutDown} more directly ${hit.side < 0 ? "upstream" : "downstream"}`, "click to show them"]
      : row ? [row.name, `${row.type || "type unknown"} · ${row.up} in · ${row.down} out`] : [node.full || node.name, `${node.domain}${node.owner ? " · " + node.owner : ""}`];
    const mark = !hit.side && !row && view.markOf(node);
    if (mark) lines.push(`${mark[0] === "?" ? "unknown" : mark[0]}${mark[2] ? " · " + mark[2] : ""}`);
    element.textContent = "";
    lines.forEach((text, n) => {
      const line = document.createElement(n ? "span" : "b");
      line.textContent = text; // never markup: names come from producers
      element.appendChild(line);
    });
    const left = Math.min(point[0] + 14, view.width - element.offsetWidth - 8);
    const top = point[1] + 18 + element.offsetHeight > view.height ? point[1] - element.offsetHeight - 10 : point[1] + 18;
    element.style.transform = `translate(${Math.max(left, 4)}px, ${Math.max(top, 4)}px)`;
  }

  function attach(host, latest) {
    const view = new parts.View(host.querySelector("canvas"));
    const live = host.querySelector("[aria-live]"), tip = host.querySelector(".lg-tip");
    let count = 0;
    const send = {
      say: (text) => { live.textContent = text; },
      set: (props) => latest.current.setProps(props),
      act: (type, i, side) => {
        const node = i === null ? null : view.model.nodes[i];
        view.anchor = node && node.id;
        if (node && type !== "focus") view.touched = true;
        send.set({ action: { type, id: node && node.id, side: side || 0, n: ++count } });
      },
      more: (i, side) => { // without anything to show the address, and with it the history, stays as it is
        const node = view.model.nodes[i];
        if (side < 0 ? node.cutUp : node.cutDown) send.act("expand", i, side);
        else send.say(`Nothing more directly ${side < 0 ? "upstream" : "downstream"} to show.`);
      },
      select: (i, column) => {
        const node = view.model.nodes[i];
        view.selected = i;
        view.column = column;
        view.highlight();
        const mark = view.markOf(node);
        send.say(parts.describe(view.model, i) + (mark ? `, ${view.overlay} ${mark[0] === "?" ? "unknown" : mark[0]}` : "") + (column ? `, column ${column}` : ""));
        const row = column && node.rows.find((one) => one.name === column);
        send.set({ selected: { id: node.id, column, columnId: row ? row.id : null, n: ++count } });
      },
      clear: () => {
        view.selected = view.column = view.hover = view.cursor = null;
        view.highlight();
        send.say("Selection cleared.");
        send.set({ selected: { id: null, column: null, columnId: null, n: ++count } });
      },
      hover: (hit, point) => tooltip(tip, view, hit, point),
      click: (hit) => {
        if (!hit) { if (view.selected !== null) send.clear(); return; }
        const node = view.model.nodes[hit.i];
        if (hit.side) send.act("expand", hit.i, hit.side);
        else if (node.hidden) send.say("This node is hidden from you.");
        else if (hit.toggle) send.act("toggle", hit.i);
        else if (hit.row >= 0 && !node.rows[hit.row]) send.act("more", hit.i);
        else send.select(hit.i, hit.row >= 0 ? node.rows[hit.row].name : null);
      },
    };
    inputs(view, host, send);
    host.addEventListener("keydown", keys(view, send));
    host.addEventListener("focus", () => { if (host.matches(":focus-visible")) view.keyboard = true; view.redraw(); });
    globalThis.__lg = view; // the browser tests find cards through this
    return { view, send };
  }

  function command(view, order) {
    const name = (order.name || "lineage").replace(/[^\w.-]+/g, "_").slice(0, 80);
    if (order.cmd === "fit") view.fit(false);
    else if (order.cmd === "in") view.zoom(1.25);
    else if (order.cmd === "out") view.zoom(0.8);
    else if (order.cmd === "svg") download(new Blob([view.exportSvg()], { type: "image/svg+xml" }), `${name}.svg`);
    else if (order.cmd === "png") view.exportPng().then((blob) => download(blob, `${name}.png`));
    else if (order.cmd === "next" && view.find && view.find.size) {
      const found = Array.from(view.find);
      view.found = ((view.found === undefined ? -1 : view.found) + 1) % found.length;
      view.centre(found[view.found]);
    }
  }

  function search(view, text) {
    const wanted = (text || "").trim().toLowerCase();
    view.found = undefined;
    view.find = wanted
      ? new Set(view.model.nodes.filter((node) => !node.hidden && (node.full || node.name).toLowerCase().includes(wanted) ||
          node.rows.some((row) => row.name.toLowerCase().includes(wanted))).map((node) => node.i))
      : null;
    view.redraw();
    return view.find;
  }

  ns.LineageGraph = function LineageGraph(props) {
    const host = React.useRef(null), state = React.useRef(null), latest = React.useRef(props);
    latest.current = props;
    const { graph, selection, overlay, marks, find, command: order } = props;
    React.useEffect(() => {
      state.current = attach(host.current, latest);
      return () => state.current.view.destroy();
    }, []);
    React.useEffect(() => {
      const { view } = state.current;
      if (graph) { view.setGraph(graph); search(view, latest.current.find); }
    }, [graph]);
    React.useEffect(() => {
      const { view } = state.current;
      const node = selection && selection.id && view.model.byId.get(selection.id);
      view.selected = node ? node.i : null;
      view.column = node ? selection.column || null : null;
      view.highlight();
    }, [selection && selection.id, selection && selection.column, graph]);
    React.useEffect(() => { const { view } = state.current; view.overlay = overlay || "domain"; view.redraw(); }, [overlay]);
    React.useEffect(() => { const { view } = state.current; view.marks = marks || null; view.redraw(); }, [marks]);
    React.useEffect(() => {
      const { view, send } = state.current;
      const found = search(view, find);
      if (found) { send.say(`${found.size} found`); if (found.size) view.reveal(found.values().next().value); }
    }, [find]);
    React.useEffect(() => { if (order) command(state.current.view, order); }, [order && order.n]);
    const e = React.createElement;
    return e("div", { id: props.id, ref: host, className: "lineage-graph", role: "application", tabIndex: 0,
      "aria-label": props.label || "Lineage picture. Arrow keys follow the edges, Enter focuses, question mark lists all keys." },
    e("canvas", { "aria-hidden": true }),
    e("div", { className: "lg-tip", hidden: true, "aria-hidden": true }),
    e("div", { className: "sr-only", "aria-live": "polite" }));
  };
})();
