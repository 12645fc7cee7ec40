/* The impact page: from the form to the address, and what is copied or saved. */
(function () {
  "use strict";
  const same = () => dash_clientside.no_update;
  const MOST = 30000; // characters of a contract: an address must stay one that servers take

  function packed(text) {
    const bytes = new TextEncoder().encode(text);
    let raw = "";
    for (const byte of bytes) raw += String.fromCharCode(byte);
    return btoa(raw).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }
  function unpacked(doc) {
    try {
      const raw = atob(doc.replace(/-/g, "+").replace(/_/g, "/"));
      return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(raw, (one) => one.charCodeAt(0)));
    } catch { return ""; } // the answer says that it is damaged
  }
  const text = () => (document.getElementById("impact-text") || {}).textContent || "";

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.impact = {
    go: function (clicks, target, change, to, hours, doc) {
      if (!clicks) return [same(), same()];
      const contract = change === "contract";
      if (contract && !(doc || "").trim()) return [same(), "Paste or upload the new version of the contract first."];
      if (!contract && !(target || "").trim()) return [same(), "Choose a node first."];
      if (contract && doc.length > MOST) return [same(), "This contract is too long for an address; use: meshline change FILE"];
      const now = new URLSearchParams(window.location.search), query = new URLSearchParams();
      if (!contract) query.set("target", target.trim());
      query.set("change", change);
      if ((change === "rename" || change === "retype") && to) query.set("to", to);
      if (change === "late" && hours !== null && hours !== "" && hours !== undefined) query.set("hours", String(hours));
      if (contract) query.set("doc", packed(doc));
      for (const key of ["asof", "known"]) if (now.get(key)) query.set(key, now.get(key));
      return [`?${query}`, ""];
    },

    /** What the form says is read from the address at once: with the answer it came over what was typed meanwhile. */
    form: function (search, changes) {
      const query = new URLSearchParams(search || "");
      const one = (key) => (query.getAll(key).filter(Boolean).pop() || "").trim();
      const change = changes.some((known) => known.value === one("change")) ? one("change") : "drop";
      const hours = one("hours") === "" || isNaN(one("hours")) ? "" : Number(one("hours"));
      return [one("target"), change, one("to"), hours, unpacked(one("doc"))];
    },

    fields: function (change) {
      const file = document.querySelector("#impact-file input[type=file]"); // the component gives it no name
      if (file) file.setAttribute("aria-label", "File with the new version of the contract");
      const show = (yes) => (yes ? {} : { display: "none" });
      return [show(change !== "contract"), show(change === "rename" || change === "retype"), show(change === "late"), show(change === "contract")];
    },

    upload: function (contents) {
      if (!contents) return same();
      const raw = atob(contents.split(",")[1] || "");
      return new TextDecoder().decode(Uint8Array.from(raw, (one) => one.charCodeAt(0)));
    },

    copy: function (textClicks, linkClicks) {
      const found = dash_clientside.callback_context.triggered[0];
      if (!found || !found.value) return same();
      const link = found.prop_id.startsWith("impact-link");
      navigator.clipboard.writeText(link ? window.location.href : text());
      return link ? "Link copied" : "Text copied";
    },

    save: function (clicks) {
      if (!clicks) return same();
      const anchor = document.createElement("a");
      anchor.href = URL.createObjectURL(new Blob([text()], { type: "text/markdown" }));
      anchor.download = "impact.md";
      anchor.click();
      setTimeout(() => URL.revokeObjectURL(anchor.href), 1000);
      return "Saved";
    },
  };
})();
