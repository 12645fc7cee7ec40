/* Tables with rows on the server: their order and filters stand in the address, without a new entry in the history. */
(function () {
  "use strict";
  const same = () => dash_clientside.no_update;

  function note(changes) {
    const page = document.getElementById("page"); // of a page that is being left nothing belongs into the next one's address
    if (page && "path" in page.dataset && page.dataset.path !== window.location.pathname.replace(/\/+$/, "")) return;
    const query = new URLSearchParams(window.location.search);
    for (const [key, values] of Object.entries(changes)) {
      query.delete(key);
      for (const one of values) query.append(key, one);
    }
    const text = query.toString(), next = text ? `?${text}` : "";
    if (next !== window.location.search) history.replaceState(history.state, "", window.location.pathname + next);
  }

  /* A control that is drawn late, for an address that was left meanwhile, must not lead back there: only people's acts count. */
  let acted = 0, moved = 0;
  for (const type of ["pointerdown", "keydown", "click", "input"])
    document.addEventListener(type, () => { acted = performance.now(); }, true);
  for (const type of ["popstate", "_dashprivate_pushstate"])
    window.addEventListener(type, () => { moved = performance.now(); });

  /** New search text for the Location component: `changes` (null removes a key), the table's own order and filters go. */
  function go(changes) {
    const query = new URLSearchParams(window.location.search);
    for (const [key, value] of Object.entries(changes)) {
      // a value keeps its place, so that a control which says what the address says already leaves the history alone
      if (value !== null && value !== undefined && value !== "") query.set(key, value); else query.delete(key);
    }
    for (const key of ["sort", "filter"]) query.delete(key);
    const before = new URLSearchParams(window.location.search);
    for (const key of ["sort", "filter"]) before.delete(key);
    if (query.toString() === before.toString()) return same();
    const text = query.toString(), next = text ? `?${text}` : "";
    dashboard_lineage_graph.here.move(window.location.pathname, next); // told before anyone can go back: then what was chosen is drawn anew
    return next;
  }

  /** An address may name a part of its page (#id): go there once the page is filled. */
  function reach(until) {
    const part = document.getElementById(location.hash.slice(1));
    const waits = !part || document.querySelector("#page .mantine-Skeleton-root");
    if (!waits) part.scrollIntoView({ block: "start" });
    else if (Date.now() < until) setTimeout(() => reach(until), 150);
  }
  const seek = () => { if (location.hash.length > 1) reach(Date.now() + 10000); };
  window.addEventListener("_dashprivate_pushstate", seek);
  window.addEventListener("load", seek);

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.sheets = {
    note: function (request) {
      if (!request) return { display: "none" };
      const filters = Object.entries(request.filterModel || {});
      note({
        sort: (request.sortModel || []).map((one) => `${one.colId}:${one.sort}`),
        filter: filters.map(([column, model]) => `${column}:${model.type}:${model.filter === undefined || model.filter === null ? "" : model.filter}`),
      });
      return filters.length ? {} : { display: "none" };
    },

    /** New data: the blocks that are shown are asked for again, order and filters stay. */
    renew: function (fresh, id) {
      const name = id ? id.replace(/-csv$/, "") : "", part = document.getElementById(name);
      const drawn = part && part.querySelector(".ag-row, .ag-overlay"); // the grid complains when it is asked before
      const grid = window.dash_ag_grid && drawn ? dash_ag_grid.getApi(name) : null;
      if (grid) grid.refreshInfiniteCache();
      return same();
    },

    clear: function (clicks) { return clicks ? {} : same(); },

    /** Controls of a page whose ids are PAGE-KEY: what changed goes into the address. `DEFAULT` values are left out. */
    go: function () {
      if (moved > acted) return same();
      const changes = {}, inputs = Object.entries(dash_clientside.callback_context.inputs);
      const triggered = dash_clientside.callback_context.triggered.map((one) => one.prop_id);
      for (const [id, value] of inputs) {
        if (!triggered.includes(id)) continue;
        const key = id.split(".")[0].split("-").slice(1).join("-");
        const part = document.getElementById(id.split(".")[0]);
        const standard = part && part.closest("[data-standard]") ? part.closest("[data-standard]").dataset.standard : "";
        changes[key] = value === standard ? null : value;
      }
      return Object.keys(changes).length ? go(changes) : same();
    },

    /** Value of the segmented control `view`, from the address. */
    pick: function (search) {
      const room = document.querySelector("[data-standard] [id$='-view']");
      const standard = room ? room.closest("[data-standard]").dataset.standard : "";
      return new URLSearchParams(search).get("view") || standard || same();
    },

    print: function (clicks) { if (clicks) __paper(); return same(); },
  };
})();
