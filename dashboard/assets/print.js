/* What is printed: in light colours, with where it comes from and of when it is, and with all rows of tables that hold them. */
(function () {
  "use strict";
  const MOST = 1000; // rows of a table that are laid out for paper; a longer one says that it is cut
  const SCHEME = "data-mantine-color-scheme", root = document.documentElement;
  let before = null, widened = [];

  const utc = (date) => `${date.toISOString().slice(0, 16).replace("T", " ")} UTC`;

  function line() {
    let place = document.getElementById("print-line");
    if (!place) {
      const main = document.querySelector(".mantine-AppShell-main");
      if (!main) return;
      place = document.createElement("p");
      place.id = "print-line";
      main.prepend(place);
    }
    const query = new URLSearchParams(location.search), now = utc(new Date());
    const of = query.get("asof") || query.get("known") ? "" : `, as of ${globalThis.__live && __live.of ? utc(new Date(__live.of)) : now}`;
    place.textContent = `${location.href} · printed ${now}${of}`;
  }

  function tables() {
    for (const box of document.querySelectorAll(".ag-root-wrapper")) {
      const host = box.closest("[id]"), api = host && dash_ag_grid.getApi(host.id);
      if (!api) continue;
      const rows = api.getDisplayedRowCount();
      const whole = api.getGridOption("rowModelType") !== "infinite" && rows <= MOST;
      if (whole) { ReactDOM.flushSync(() => api.setGridOption("domLayout", "print")); widened.push(api); }
      host.toggleAttribute("data-cut", !whole);
    }
  }

  function scheme(name) {
    root.setAttribute(SCHEME, name);
    const view = globalThis.__lg;
    if (view && view.canvas.isConnected) { view.refreshTheme(); view.paint(); } // paper does not wait for the next frame
  }

  function prepare() {
    if (before !== null) return;
    before = root.getAttribute(SCHEME) || "light";
    scheme("light");
    line();
    if (globalThis.dash_ag_grid) tables();
  }

  function restore() {
    if (before === null) return;
    scheme(before);
    for (const api of widened) if (!api.isDestroyed()) api.setGridOption("domLayout", "normal");
    before = null;
    widened = [];
  }

  /** Print; what is laid out anew for paper gets a moment for it, which Ctrl P does not give. */
  globalThis.__paper = function () {
    prepare();
    setTimeout(() => print(), 80);
  };
  addEventListener("beforeprint", prepare);
  addEventListener("afterprint", restore);
})();
