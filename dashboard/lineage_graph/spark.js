/* A small line without axes: values over time behind a number. Gaps (null) stay gaps: unknown is not zero.
 *
 * In: values [number|null], label (what a screen reader says), tone (class). Colours come from CSS.
 */
(function () {
  "use strict";
  const ns = globalThis.dashboard_lineage_graph;
  const React = globalThis.React;
  const W = 160, H = 34, PAD = 3;

  ns.Spark = function Spark(props) {
    const e = React.createElement;
    const values = props.values || [];
    const known = values.filter((value) => value !== null && value !== undefined);
    if (known.length < 2) return e("div", { id: props.id, className: "spark is-empty" });
    const low = Math.min(...known), high = Math.max(...known), range = high - low || 1;
    const x = (i) => (values.length > 1 ? (i * W) / (values.length - 1) : W / 2);
    const y = (value) => PAD + (H - 2 * PAD) * (high === low ? 0.5 : 1 - (value - low) / range);
    const parts = [[]];
    values.forEach((value, i) => {
      if (value === null || value === undefined) { if (parts[parts.length - 1].length) parts.push([]); }
      else parts[parts.length - 1].push([x(i), y(value)]);
    });
    const lines = parts.filter((part) => part.length > 1);
    const d = (part) => part.map(([px, py], i) => `${i ? "L" : "M"}${px.toFixed(1)} ${py.toFixed(1)}`).join("");
    const area = (part) => `${d(part)}L${part[part.length - 1][0].toFixed(1)} ${H}L${part[0][0].toFixed(1)} ${H}Z`;
    return e("svg", { id: props.id, className: `spark ${props.tone || ""}`, viewBox: `0 0 ${W} ${H}`, preserveAspectRatio: "none",
      role: "img", "aria-label": props.label || "" },
      lines.map((part, i) => e("path", { key: `a${i}`, className: "spark-area", d: area(part) })),
      lines.map((part, i) => e("path", { key: `l${i}`, className: "spark-line", d: d(part), vectorEffect: "non-scaling-stroke" })));
  };
})();
