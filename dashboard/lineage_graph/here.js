/* Where one is, as the callbacks of the page that is shown see it (dashboard/here.py). Draws nothing.
 *
 * The frame tells what changes by `tell`; a page that is being left hears nothing of the address of the next one.
 */
(function () {
  "use strict";
  const ns = globalThis.dashboard_lineage_graph;
  const React = globalThis.React;
  let now = null; // properties of the page that is shown

  ns.Here = function Here(props) {
    const latest = React.useRef(props);
    latest.current = props;
    React.useEffect(() => {
      now = latest;
      return () => { if (now === latest) now = null; };
    }, []);
    return null;
  };

  ns.here = {
    /** The address has changed. */
    move: (pathname, search) => {
      const page = now && now.current;
      if (page && page.pathname === pathname && (page.search || "") !== (search || "")) page.setProps({ search });
    },
    /** There is new data. */
    news: (fresh) => { if (now && fresh) now.current.setProps({ fresh }); },
  };
})();
