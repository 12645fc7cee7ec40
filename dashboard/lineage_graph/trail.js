/* The story of a figure: the timeline of its runs and every step in words, as plain elements.
 *
 * As Dash components a story of fourteen steps is eight hundred of them, which Dash needs seconds for; here it is text.
 * RunTimeline in: marks [[left, text]], early, rows [{number, anchor, name, before, said, title, color, left, width, age, open, last}]
 * RunStory in: sources [node], cut (text), steps [{number, anchor, color, last, node, pills [[text, tone]], when, domain,
 *   reads [{node, tie, jump, uses [text]}], facts [{name, text, mono, node, href, note, copy}], tests, failed, sql, hash}]
 * A node is {text, name, before, href}. Every text comes from producers, and stays text.
 */
(function () {
  "use strict";
  const ns = (globalThis.dashboard_lineage_graph = globalThis.dashboard_lineage_graph || {});
  const React = globalThis.React;
  const e = (...given) => React.createElement(...given);
  const icon = (name, size) => e("span", { className: `icon icon-${name}`, style: { width: size, height: size }, "aria-hidden": true });

  function open(event, href) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    const [pathname, search] = href.split("?");
    globalThis.dash_clientside.set_props("url", { pathname, search: search ? `?${search}` : "" });
  }

  function Node({ node }) {
    if (!node.href) return e("span", { className: "prov-node" }, icon("eye-off", 14), " ", node.text);
    return e("a", { className: "prov-node", href: node.href, title: node.text, onClick: (event) => open(event, node.href) },
      e("span", { className: "mono" }, node.name), " ", e("small", null, node.before));
  }

  function Copy({ text, label }) {
    const [done, setDone] = React.useState(false);
    const copy = () => { navigator.clipboard.writeText(text); setDone(true); setTimeout(() => setDone(false), 1500); };
    return e("button", { className: "prov-copy-button", onClick: copy, "aria-label": `Copy ${label}`, title: done ? "Copied" : "Copy" },
      icon(done ? "circle-check" : "copy", 14));
  }

  function Row(row) {
    const track = !row.age && e("i", { className: row.open ? "prov-bar open" : "prov-bar",
      style: { left: `${row.left}%`, width: `${row.width}%`, background: row.color } });
    return e("button", { className: row.last ? "prov-row is-last" : "prov-row", title: row.title, "data-step": row.anchor,
      "aria-label": `Step ${row.number}: ${row.name}, ${row.said}` },
    e("span", { className: "prov-name" }, e("b", { className: "num" }, row.number), e("span", null, row.name), e("small", null, row.before)),
    e("span", { className: "prov-early" }, row.age && e("span", { className: "prov-age num", style: { borderColor: row.color } }, `${row.age} before`)),
    e("span", { className: "prov-track" }, track));
  }

  ns.RunTimeline = function RunTimeline(props) {
    const ticks = (props.marks || []).map(([left, text], i) => e("span", { key: i, className: "num", style: { left: `${left}%` } }, text));
    return e("div", { id: props.id, className: "prov-timeline" },
      e("div", { className: "prov-axis", "aria-hidden": true }, e("span", { className: "prov-name" }),
        e("span", { className: "prov-early" }, props.early ? "earlier" : ""), e("div", { className: "prov-ticks" }, ticks)),
      (props.rows || []).map((row) => e(Row, { key: row.number, ...row })));
  };

  function Read({ read }) {
    const n = read.uses.length;
    return e("div", { className: "prov-read" }, e(Node, { node: read.node }), e("span", { className: "prov-tie" }, read.tie),
      read.jump && e("button", { className: "prov-jump num", "data-step": `step-${read.jump}` }, `step ${read.jump}`),
      n > 0 && e("details", null, e("summary", null, `${n} column${n === 1 ? "" : "s"}`),
        e("ul", { className: "mono" }, read.uses.map((use, i) => e("li", { key: i }, use)))));
  }

  function Fact({ fact }) {
    const body = [];
    if (fact.node) body.push(e(Node, { key: "n", node: fact.node }));
    else if (fact.href) body.push(e("a", { key: "a", href: fact.href, target: "_blank", rel: "noopener noreferrer", className: "mono" }, fact.text, " ", icon("external-link", 13)));
    else body.push(e("span", { key: "t", className: fact.mono ? "mono" : fact.none ? "nothing" : "" }, fact.text));
    if (fact.copy) body.push(e(Copy, { key: "c", text: fact.text, label: fact.name.toLowerCase() }));
    if (fact.note) body.push(e("small", { key: "s" }, ` ${fact.note}`));
    return e(React.Fragment, null, e("dt", null, fact.name), e("dd", null, body));
  }

  function Step({ step }) {
    const reads = step.reads.length
      ? e("div", { className: "prov-reads" }, e("span", { className: "prov-verb" }, "read"), step.reads.map((read, i) => e(Read, { key: i, read })))
      : e("p", { className: "prov-reads nothing" }, "It told of nothing that it read.");
    return e("li", { className: step.last ? "prov-step is-last" : "prov-step", id: step.anchor },
      e("span", { className: "prov-dot num", style: { borderColor: step.color } }, step.number),
      e("div", { className: "prov-card" },
        e("div", { className: "prov-step-head" }, e("h3", null, e(Node, { node: step.node })),
          step.pills.map(([text, tone], i) => e("span", { key: i, className: `pill ${tone}` }, text))),
        e("p", { className: "prov-when" }, e("span", { className: "num" }, step.when), " · ",
          e("span", { className: "domain-dot", style: { background: step.color } }), step.domain),
        reads,
        e("dl", { className: "facts prov-facts" }, step.facts.map((fact) => e(Fact, { key: fact.name, fact }))),
        (step.tests || step.failed) && e("p", { className: "prov-tests" }, icon("clipboard-check", 14), " ", step.tests,
          step.failed && e("span", { className: "prov-bad" }, ` ${step.failed}`)),
        step.sql && e("details", { className: "prov-sql" },
          e("summary", null, icon("list", 14), " SQL that ran ", e("small", { className: "mono" }, `SHA-256 ${step.hash}…`)),
          e("pre", { tabIndex: 0, "aria-label": `SQL of step ${step.number}` }, step.sql))));
  }

  ns.RunStory = function RunStory(props) {
    const sources = props.sources || [];
    return e("ol", { id: props.id, className: "prov-story" },
      sources.length > 0 && e("li", { className: "prov-step is-source" }, e("span", { className: "prov-dot" }, icon("database", 15)),
        e("div", { className: "prov-card" }, e("h3", null, "Where the trail begins"),
          e("p", { className: "hint" }, "No run is known that wrote these; what is before them, nobody told."),
          e("div", { className: "prov-nodes" }, sources.map((node) => e(Node, { key: node.text, node }))))),
      props.cut && e("li", { className: "hint" }, props.cut),
      (props.steps || []).map((step) => e(Step, { key: step.anchor, step })));
  };
})();
