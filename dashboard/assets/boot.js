/* Runs in the head: the colour scheme stands before the first paint, so no white flash in the dark. */
(function () {
  "use strict";
  let scheme = null;
  try { scheme = localStorage.getItem("mantine-color-scheme-value"); } catch { /* storage may be switched off */ }
  if (scheme !== "light" && scheme !== "dark") {
    scheme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }
  document.documentElement.setAttribute("data-mantine-color-scheme", scheme);
})();
