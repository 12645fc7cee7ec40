/* The provenance page: from the form to the address, and from the timeline to the step. */
(function () {
  "use strict";
  const same = () => dash_clientside.no_update;
  const iso = (text) => (text ? text.trim().replace(" ", "T") : "");

  const view_of = (query) => (["picture", "table"].includes(query.get("view")) ? query.get("view") : "timeline");

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.provenance = {
    go: function (clicks, view, target, asof, vs) {
      const from = dash_clientside.callback_context.triggered.map((one) => one.prop_id);
      const query = new URLSearchParams(window.location.search);
      if (!from.includes("provenance-go.n_clicks")) { // another view of the same answer
        if (view_of(query) === view || !query.get("target")) return [same(), same()];
        if (view === "timeline") query.delete("view"); else query.set("view", view);
        return [`?${query}`, ""];
      }
      if (!clicks) return [same(), same()];
      if (!(target || "").trim()) return [same(), "Choose a report, a dataset, a column or a job first."];
      const next = { target: target.trim(), asof: iso(asof), vs: iso(vs) };
      for (const [key, value] of Object.entries(next)) if (value) query.set(key, value); else query.delete(key);
      const text = `?${query}`;
      return [text === window.location.search ? same() : text, ""];
    },

    /** What the form says is read from the address at once: with the answer it came over what was typed meanwhile. */
    form: function (search) {
      const query = new URLSearchParams(search || "");
      const one = (key) => (query.getAll(key).filter(Boolean).pop() || "").trim();
      const picker = (key) => one(key).replaceAll("T", " ").replace(/Z$/, "") || null;
      return [one("target"), picker("asof"), picker("vs"), view_of(query)];
    },

    link: function (clicks) {
      if (!clicks) return same();
      navigator.clipboard.writeText(window.location.href);
      setTimeout(() => dash_clientside.set_props("provenance-copied", { children: "" }), 2500);
      return "Link copied";
    },
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest("[data-step]");
    const step = button && document.getElementById(button.dataset.step);
    if (!step) return;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    step.scrollIntoView({ block: "center", behavior: calm ? "auto" : "smooth" });
    document.querySelectorAll(".prov-step.is-shown").forEach((one) => one.classList.remove("is-shown"));
    step.classList.add("is-shown");
    step.tabIndex = -1;
    step.focus({ preventScroll: true });
  });
})();
