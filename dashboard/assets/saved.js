/* What is to be saved is read from the address as it stands: pages note filters and choices there without a callback. */
(function () {
  "use strict";
  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.saved = {
    open: function (clicks) {
      const same = dash_clientside.no_update;
      if (!clicks) return [same, same, same, same];
      const brand = document.querySelector("a.brand"), base = brand ? new URL(brand.href).pathname : "/";
      const path = location.pathname.startsWith(base) ? location.pathname.slice(base.length) : location.pathname.slice(1);
      const address = path + location.search, title = document.querySelector("h1");
      return [true, address, address || "the first page", title ? title.textContent : ""];
    },
  };
})();
