/* What never changes by itself, drawn as plain elements.
 *
 * Dash wraps every component and wakes all of them at every answer; a page of two thousand spans and cells then costs
 * seconds of a processor. The server packs such parts (dashboard/still.py): [tag, properties or 0, child, ...] each, a
 * text being itself. "link" leads to a page of the dashboard without loading the document anew.
 */
(function () {
  "use strict";
  const ns = globalThis.dashboard_lineage_graph;
  const React = globalThis.React;

  function follow(event) {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button) return;
    event.preventDefault();
    window.history.pushState({}, "", event.currentTarget.getAttribute("href"));
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate")); // dcc.Location listens
    window.scrollTo(0, 0);
  }

  function drawn(part) {
    if (!Array.isArray(part)) return part;
    const [tag, given, ...children] = part;
    const properties = Object.assign({}, given || null);
    if (properties.href) properties.href = globalThis.dash_clientside.clean_url(properties.href);
    if (tag === "link") properties.onClick = follow;
    return React.createElement(tag === "link" ? "a" : tag, properties, ...children.map(drawn));
  }

  ns.Still = function Still(props) {
    return React.useMemo(() => React.createElement(React.Fragment, null, ...(props.parts || []).map(drawn)), [props.parts]);
  };
})();
