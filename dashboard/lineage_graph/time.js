/* The line of time: bars of how many edges began (up) and ended (down), a handle for the instant that is shown, one for
 * the instant it is compared with. The handles are native ranges: keyboard and screen readers know them.
 */
(function () {
  "use strict";
  const ns = (globalThis.dashboard_lineage_graph = globalThis.dashboard_lineage_graph || {});
  const React = globalThis.React;
  const e = (...given) => React.createElement(...given);
  const WAIT = 260; // milliseconds until a key that is held counts
  const stamp = (text) => Date.parse(/Z$|[+-]\d\d:?\d\d$/.test(text) ? text : `${text}Z`);
  const said = (text) => (text ? text.replace("T", " ").replace("Z", "").slice(0, 16) : "now");

  /** Index of the handle for an instant: after how many parts it lies. */
  function place(buckets, at, none) {
    if (!at) return none;
    const time = stamp(at);
    if (Number.isNaN(time)) return none;
    let i = 0;
    while (i < buckets.length && stamp(buckets[i][1]) <= time) i++;
    return i;
  }

  function bars(buckets) {
    const most = Math.sqrt(Math.max(1, ...buckets.map((b) => Math.max(b[2], b[3]))));
    return buckets.flatMap(([start, end, opened, closed], i) => {
      const bar = (n, up) => n > 0 && e("rect", { key: `${i}${up}`, className: up ? "time-opened" : "time-closed", x: i + 0.12, width: 0.76,
        height: Math.max((Math.sqrt(n) / most) * (up ? 22 : 8), 1.5), y: up ? 24 - Math.max((Math.sqrt(n) / most) * 22, 1.5) : 25 });
      return [bar(opened, true), bar(closed, false),
        e("rect", { key: `${i}t`, className: "time-hit", x: i, y: 0, width: 1, height: 34 },
          e("title", null, `${said(start)} to ${said(end)} UTC: ${opened} edges began, ${closed} ended`))];
    });
  }

  ns.TimeSlider = function TimeSlider(props) {
    const buckets = props.buckets || [], n = buckets.length;
    const [moving, setMoving] = React.useState({});
    const timer = React.useRef(null), count = React.useRef(0);
    React.useEffect(() => { setMoving({}); }, [props.asof, props.vs, n]);
    const now = moving.asof !== undefined ? moving.asof : place(buckets, props.asof, n);
    const then = moving.vs !== undefined ? moving.vs : place(buckets, props.vs, null);
    const instant = (i) => (i >= n ? null : i <= 0 ? buckets[0][0] : buckets[i - 1][1]);
    const pick = (key, at) => props.setProps({ picked: { key, at, n: ++count.current } });
    const move = (key) => (event) => {
      const i = Number(event.target.value);
      setMoving((old) => ({ ...old, [key]: i }));
      clearTimeout(timer.current);
      timer.current = setTimeout(() => pick(key, instant(i) || (key === "vs" ? buckets[n - 1][1] : null)), WAIT);
    };
    const compare = () => {
      if (then !== null) { pick("vs", null); return; }
      let i = Math.min(now, n) - 1;
      while (i > 0 && !(buckets[i][2] || buckets[i][3])) i--;
      pick("vs", instant(Math.max(i, 0)));
    };
    if (!n) return e("div", { id: props.id, className: "time-slider is-empty" });
    const range = (key, label, value) => e("input", { type: "range", className: `time-range ${key}`, min: 0, max: n, step: 1, value,
      "aria-label": label, "aria-valuetext": said(instant(value)), onChange: move(key) });
    return e("div", { id: props.id, className: "time-slider" },
      e("span", { className: "tool-label" }, "As of"),
      e("div", { className: "time-track" },
        e("svg", { viewBox: `0 0 ${n} 34`, preserveAspectRatio: "none", role: "img",
          "aria-label": `${buckets.reduce((sum, b) => sum + b[2], 0)} edges began and ${buckets.reduce((sum, b) => sum + b[3], 0)} ended since ${said(buckets[0][0])}` },
        e("line", { className: "time-base", x1: 0, x2: n, y1: 24.5, y2: 24.5 }), bars(buckets)),
        then !== null && e("div", { className: "time-between", style: { left: `${(100 * Math.min(then, now)) / n}%`, width: `${(100 * Math.abs(now - then)) / n}%` } }),
        range("asof", "As of: the instant that is shown", now),
        then !== null && range("vs", "Compare with: the other instant", then)),
      e("span", { className: "time-said num" }, moving.asof !== undefined ? said(instant(now)) : said(props.asof)),
      e("button", { className: then !== null ? "btn small is-on" : "btn small", onClick: compare, "aria-pressed": then !== null },
        then !== null ? `vs ${moving.vs !== undefined ? said(instant(then)) : said(props.vs)} ✕` : "Compare"));
  };

  globalThis.dash_clientside = globalThis.dash_clientside || {};
  globalThis.dash_clientside.meshline_time = {
    go: function (picked) {
      if (!picked) return globalThis.dash_clientside.no_update;
      const query = new URLSearchParams(window.location.search);
      if (picked.at) query.set(picked.key, picked.at.replace("Z", "")); else query.delete(picked.key);
      const next = `?${query}`;
      return next === window.location.search ? globalThis.dash_clientside.no_update : next;
    },
  };
})();
