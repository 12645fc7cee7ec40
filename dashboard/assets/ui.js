/* What the pages do without asking the server: addresses, the palette's keys, short cuts, copying. */
(function () {
  "use strict";
  const same = () => dash_clientside.no_update;
  /** A value, or no update where it stands already: what is told wakes every callback that listens. */
  const other = (value, now) => (value === now ? same() : value);
  const trigger = () => {
    const found = dash_clientside.callback_context.triggered;
    return found.length ? found[0].prop_id : "";
  };

  /** Address with `changes` (null removes a key), or null when it says what the present one says, however that is spelt;
   * keys nobody knows are kept, order is stable. */
  function address(changes) {
    const query = new URLSearchParams(window.location.search);
    for (const [key, value] of Object.entries(changes)) {
      const wanted = Array.isArray(value) ? value : value === null || value === "" ? [] : [String(value)];
      if (JSON.stringify(wanted) === JSON.stringify(query.getAll(key))) continue; // keeps its place
      query.delete(key);
      for (const one of wanted) query.append(key, one);
    }
    const text = query.toString();
    if (text === new URLSearchParams(window.location.search).toString()) return null;
    return text ? `?${text}` : "";
  }

  /** New search text for the Location component, or no update when nothing changes. */
  function go(changes) {
    const next = address(changes);
    if (next === null) return same();
    dashboard_lineage_graph.here.move(window.location.pathname, next); // the page asks at once, the Location comes after
    return next;
  }

  /** Change the address without a new entry in the history and without a callback. */
  function note(changes) {
    const next = address(changes);
    if (next !== null) history.replaceState(history.state, "", window.location.pathname + next);
  }

  /** What the strip says of the instant of the page. */
  function told_of(asof, known) {
    const zoned = (text) => (/(z|[+-]\d\d:?\d\d)$/i.test(text) || !/[T ]/.test(text) ? text : `${text.replace(" ", "T")}Z`);
    const plain = (text) => `${text.replace("T", " ").replace(/z$/i, "")}${/[+-]\d\d:?\d\d$/.test(text) ? "" : " UTC"}`;
    for (const text of [asof, known]) if (text && isNaN(Date.parse(zoned(text)))) return `“${text}” is no time.`;
    const then = asof ? plain(asof) : "now", with_ = known ? `, with what was known at ${plain(known)}` : "";
    const later = asof && Date.parse(zoned(asof)) > Date.now() + 60000;
    return `You look at ${then}${with_}.` + (later ? " That is yet to come: shown is what holds if nothing happens until then." : "");
  }

  /** A cell that leads to another page without loading the document anew. */
  const grids = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  const shown = (props) => {
    const pair = props.data && props.data.short && props.data.short[props.colDef.field];
    if (!pair) return [props.value];
    const [name, before] = pair;
    return before ? [name, React.createElement("span", { key: "before", className: "cell-before" }, ` ${before}`)] : [name];
  };
  grids.ShortName = (props) => React.createElement("span", null, ...shown(props));
  grids.PageLink = function (props) {
    const href = props.data && props.data.href;
    if (!href) return grids.ShortName(props);
    const open = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      const [pathname, search] = href.split("?");
      dash_clientside.set_props("url", { pathname, search: search ? `?${search}` : "" });
    };
    return React.createElement("a", { href, onClick: open }, ...shown(props));
  };

  function toggled(key, value) {
    const list = new URLSearchParams(window.location.search).getAll(key);
    return list.includes(value) ? list.filter((one) => one !== value) : list.concat([value]);
  }

  const instants = (search) => {
    const query = new URLSearchParams(search), kept = new URLSearchParams();
    for (const key of ["asof", "known"]) if (query.get(key)) kept.set(key, query.get(key));
    return kept.toString();
  };

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.meshline = {
    nav: function (pathname, _instant, search, parts) {
      const kept = instants(search), here = (pathname || "/").replace(/(.)\/$/, "$1");
      const now = parts.map((part) => {
        if (part[0] !== "link") return part;
        const [tag, { href }, ...content] = part, path = href.split("?")[0], current = path === here;
        const given = { href: path + (kept ? `?${kept}` : ""), className: current ? "nav-link is-here" : "nav-link" };
        return [tag, current ? { ...given, "aria-current": "page" } : given, ...content];
      });
      return JSON.stringify(now) === JSON.stringify(parts) ? same() : now;
    },

    moved: function (pathname, search, shown) {
      if (!pathname) return same(); // before the first look at the address
      dashboard_lineage_graph.here.move(pathname, search);
      return pathname.replace(/\/+$/, "") === shown ? same() : { pathname, search };
    },

    news: function (fresh) { dashboard_lineage_graph.here.news(fresh); },

    palette: function (_click, _clicks, _search, _pathname, opened) {
      const all = dash_clientside.callback_context.triggered; // a click and a button that was just drawn may come at once
      const asked = all.filter((one) => one.prop_id.includes("palette-open"));
      const open = asked.some((one) => Boolean(one.value)); // a new button has no clicks
      if (!open && asked.length === all.length) return same();
      if (open) { typed = false; setTimeout(enterPalette, 60, 50); }
      return other(open, Boolean(opened));
    },

    help: function (clicks) { return clicks ? true : same(); },

    graph_help: function (action) { return action && action.type === "help" ? true : same(); },

    asof_shown: function (search, ...now) {
      const query = new URLSearchParams(search);
      const asof = query.get("asof"), known = query.get("known");
      const label = asof ? asof.replace("T", " ").slice(0, 16) : "now";
      const text = told_of(asof, known);
      const past = Boolean(asof || known);
      const told = [label + (known ? " · known then" : ""), past ? "asof-open is-past" : "asof-open", past ? {} : { display: "none" }, text,
        asof ? asof.replace("T", " ") : null, known ? known.replace("T", " ") : null];
      return told.map((value, i) => (JSON.stringify(value) === JSON.stringify(now[i] === undefined ? null : now[i]) ? same() : value));
    },

    asof_set: function (apply, now, strip, asof, known) {
      if (!trigger() || !dash_clientside.callback_context.triggered[0].value) return same();
      const iso = (text) => (text ? text.replace(" ", "T") : null);
      return trigger().startsWith("asof-apply") ? go({ asof: iso(asof), known: iso(known) }) : go({ asof: null, known: null });
    },

    /** What the line of time shows: another expansion of the same picture asks nothing of it. */
    time_of: function (search, before) {
      const query = new URLSearchParams(search || ""), kept = new URLSearchParams();
      for (const key of ["focus", "trace", "asof", "known", "vs"]) if (query.get(key)) kept.set(key, query.get(key));
      return other("?" + kept, before);
    },

    lineage_go: function (up, down, flags, domains, view, action, selected) {
      const step = (value) => (value === "1" ? null : value);
      const changed = dash_clientside.callback_context.triggered.map((one) => one.prop_id);
      const did = (id) => changed.includes(id);
      if (did("lineage-graph.action")) return lineageAction(action); // a double click also selects: the action counts
      if (did("lineage-graph.selected")) {
        return selected && selected.columnId ? go({ trace: selected.columnId, focus: null, sel: selected.id }) : same();
      }
      if (did("lineage-domains.value")) return go({ domain: domains || [] });
      if (did("lineage-flags.value")) {
        return go({ lanes: (flags || []).includes("lanes") ? null : "0", jobs: (flags || []).includes("jobs") ? "1" : null });
      }
      if (did("lineage-view.value")) return go({ view: view === "picture" ? null : view });
      if (did("lineage-up.value")) return go({ up: step(up) });
      if (did("lineage-down.value")) return go({ down: step(down) });
      return same();
    },

    /** Apart from what is chosen first: that waits for the picture, and a choice made meanwhile would wait with it. */
    lineage_select: function (selected) {
      if (!selected) return same();
      note({ sel: selected.id });
      return { id: selected.id };
    },

    lineage_first: function (initial) {
      const made = new URLSearchParams(window.location.search).get("sel"); // chosen while the picture was asked for
      return initial && made ? { id: made } : initial || { id: null };
    },

    lineage_chosen: function (selection, trace) { return { id: selection && selection.id, column: trace || null }; },

    lineage_overlay: function (by) {
      const value = by === "domain" ? null : by;
      if (new URLSearchParams(window.location.search).get("view") === "nodes") return [by, go({ by: value })]; // the table shows it too
      note({ by: value });
      return [by, same()];
    },

    lineage_command: function () {
      const from = trigger();
      const found = from.match(/^lineage-do-(\w+)\.n_clicks$/);
      const find = from === "lineage-find.n_submit";
      if (!found && !find) return same();
      if (found && !dash_clientside.callback_context.triggered[0].value) return same();
      const focus = new URLSearchParams(window.location.search).get("focus") || "lineage";
      return { cmd: find ? "next" : found[1], n: Date.now(), name: `lineage ${focus.split(":").pop()}` };
    },

    lineage_find: function (text) { return text || ""; },

    catalogue_go: function (of) {
      const now = new URLSearchParams(window.location.search).get("of") || "datasets";
      return now === of ? same() : go({ of, state: null });
    },

    health_asked: function (search, before) {
      const query = new URLSearchParams(search || "");
      for (const key of ["rows", "owner"]) query.delete(key);
      const asked = "?" + query;
      return asked === before ? same() : asked;
    },
    health_go: function (domain, period, opened) {
      const now = new URLSearchParams(window.location.search);
      const changed = dash_clientside.callback_context.triggered.map((one) => one.prop_id);
      if (changed.includes("health-domain.value")) return go({ domain: domain || null });
      if (changed.includes("health-period.value")) return go({ period: period === "30" ? null : period });
      if (changed.includes("health-rows.opened") && !opened && now.get("rows")) return go({ rows: null, owner: null });
      return same();
    },

    print_page: function (clicks) { if (clicks) __paper(); return same(); },

    grid_csv: function (clicks) { return clicks ? true : same(); },

    /** The choice of colours, from the address at once: with the picture it came over a choice made meanwhile. */
    map_by: function (search, choices) {
      const by = new URLSearchParams(search || "").get("by");
      return choices.some((one) => one.value === by) ? by : "domain";
    },

    map_overlay: function (by) { note({ by: by === "domain" ? null : by }); return by; },

    map_command: function () {
      const from = trigger(), found = from.match(/^map-do-(\w+)\.n_clicks$/);
      if (found && !dash_clientside.callback_context.triggered[0].value) return same();
      return { cmd: found ? found[1] : "next", n: Date.now() };
    },

    map_open: function (action, address) {
      if (!action || action.type !== "focus" || !address) return same();
      const [path, query] = address.split("?"), search = new URLSearchParams(query);
      search.set("focus", action.id);
      return `${path}?${search}`;
    },

    copy_link: function (clicks) {
      if (!clicks) return same();
      navigator.clipboard.writeText(window.location.href);
      setTimeout(() => dash_clientside.set_props("lineage-copied", { children: "" }), 2500);
      return "Link copied";
    },
  };

  /** What a click inside the picture means for the address. */
  function lineageAction(action) {
    if (!action || !action.id) return same();
    const query = new URLSearchParams(window.location.search);
    if (action.type === "focus") return go({ focus: action.id, sel: null, trace: null, open: null, more: null, xu: null, xd: null, map: null });
    if (action.type === "toggle") return go({ open: toggled("open", action.id), more: query.getAll("more").filter((id) => id !== action.id), trace: null });
    if (action.type === "more") {
      const key = query.get("trace") ? { trace: null, open: query.getAll("open").concat([action.id]) } : { more: query.getAll("more").concat([action.id]) };
      return go(key);
    }
    if (action.type === "expand") {
      const key = action.side < 0 ? "xu" : "xd";
      const list = query.getAll(key);
      return list.includes(action.id) ? same() : go({ [key]: list.concat([action.id]), trace: null });
    }
    return same();
  }

  /* The palette is drawn some time after it was asked for, and may have the focus by itself: who began to type goes on. */
  let typed = false;
  function enterPalette(tries) {
    const input = document.getElementById("palette-input");
    if (typed) return;
    if (input) { input.focus(); input.select(); }
    else if (tries) setTimeout(enterPalette, 60, tries - 1);
  }

  /* palette: arrows and Enter while the text stays in the input; a later answer leaves the choice where it was made */
  let chosen = null, watched = null, entered = false;
  const hits = () => Array.from(document.querySelectorAll("#palette-results [role=option]"));
  /* whether the results are those of the text that stands there, not of an earlier one */
  const answered = () => document.getElementById("palette-results").dataset.text === document.getElementById("palette-input").value;
  const named = (option) => { const hit = option.querySelector(".hit"); return hit.getAttribute("href") || hit.dataset.act; };

  function mark(options, at) {
    options.forEach((option, i) => { option.classList.toggle("is-active", i === at); option.setAttribute("aria-selected", String(i === at)); });
    if (options[at]) document.getElementById("palette-input").setAttribute("aria-activedescendant", options[at].id);
  }

  function watchHits() {
    const results = document.getElementById("palette-results");
    if (!results || results === watched) return;
    watched = results;
    new MutationObserver(() => {
      const options = hits();
      const at = Math.max(0, options.findIndex((option) => named(option) === chosen));
      mark(options, at);
      if (results.dataset.text === undefined) entered = false; // closed
      if (!entered || !answered()) return;
      entered = false;
      if (options[at]) options[at].querySelector(".hit").click();
    }).observe(results, { childList: true, subtree: true, characterData: true, attributeFilter: ["data-text"] });
  }

  function paletteKeys(event) {
    const options = hits(), enter = event.key === "Enter";
    entered = enter && chosen === null && !answered(); // goes to the first of what is being looked for, once that is there
    if (entered) { event.preventDefault(); return; }
    if (!options.length || !["ArrowDown", "ArrowUp", "Enter"].includes(event.key)) return;
    event.preventDefault();
    const now = Math.max(0, options.findIndex((option) => option.classList.contains("is-active")));
    if (enter) { options[now].querySelector(".hit").click(); return; }
    const at = (now + (event.key === "ArrowDown" ? 1 : -1) + options.length) % options.length;
    chosen = named(options[at]);
    mark(options, at);
    options[at].scrollIntoView({ block: "nearest" });
  }

  document.addEventListener("input", (event) => {
    if (event.target.id !== "palette-input") return;
    chosen = null;
    entered = false;
    typed = true;
    watchHits();
  });

  /* what the palette's actions do; they close it first */
  const press = (selector) => { const element = document.querySelector(selector); if (element) element.click(); };
  const acts = {
    scheme: () => press(".mantine-ColorSchemeToggle-root, [aria-label='Toggle color scheme']"),
    now: () => press("#asof-now"),
    asof: () => press("#asof-open"),
    link: () => navigator.clipboard.writeText(window.location.href),
    print: () => __paper(),
    help: () => press("#help-open"),
    bell: () => press("#bell-open"),
  };
  document.addEventListener("click", (event) => {
    const found = event.target.closest && event.target.closest("[data-act]");
    if (!found || !acts[found.dataset.act]) return;
    dash_clientside.set_props("palette", { opened: false });
    setTimeout(acts[found.dataset.act], 250); // the palette gives the focus back first
  });

  document.addEventListener("keydown", (event) => {
    if (event.target && event.target.id === "palette-input") { watchHits(); paletteKeys(event); }
    if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      press("#palette-open");
      return;
    }
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || event.target.isContentEditable;
    if (typing || event.metaKey || event.ctrlKey || event.altKey) return;
    if (event.key.toLowerCase() === "n") { press("#bell-open"); return; }
    if (event.key === "?") press("#help-open");
    if (event.key === "/") {
      const find = document.getElementById("lineage-find");
      event.preventDefault();
      (find || document.getElementById("palette-open"))[find ? "focus" : "click"]();
    }
  });
})();
