/* A list of columns with a filter, as plain elements.
 *
 * As Dash components, 3,000 columns would be 12,000 nodes of Dash's store, which costs minutes; here they are text.
 * In: rows [{name, type, note, title, href}]. A row with href leads to the trace of its column.
 */
(function () {
  "use strict";
  const ns = globalThis.dashboard_lineage_graph;
  const React = globalThis.React;
  const SHOWN = 300; // rows drawn at once; the filter finds the others

  function open(event, href) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    const [pathname, search] = href.split("?");
    globalThis.dash_clientside.set_props("url", { pathname, search: search ? `?${search}` : "" });
  }

  ns.ColumnList = function ColumnList(props) {
    const e = React.createElement;
    const [wanted, setWanted] = React.useState("");
    const text = wanted.trim().toLowerCase();
    const found = (props.rows || []).filter((row) => !text || row.name.toLowerCase().includes(text));
    const rows = found.slice(0, SHOWN).map((row) => {
      const cells = [
        e("span", { key: "n", className: "mono col-name", title: row.title }, row.name),
        e("span", { key: "t", className: "col-type" }, row.type),
        e("span", { key: "c", className: "num col-counts" }, row.note),
      ];
      return row.href
        ? e("a", { key: row.name, className: "col", href: row.href, onClick: (event) => open(event, row.href) }, cells)
        : e("div", { key: row.name, className: "col is-still" }, cells);
    });
    const left = found.length - rows.length;
    return e("div", { id: props.id },
      (props.rows || []).length > 12 && e("input", { className: "col-filter", type: "search", value: wanted, placeholder: "Filter columns",
        "aria-label": "Filter columns", onChange: (event) => setWanted(event.target.value) }),
      rows.length ? rows : e("div", { className: "nothing" }, "No column of this name."),
      left > 0 && e("div", { className: "nothing" }, `and ${left.toLocaleString("en")} more; filter to find them`));
  };
})();
