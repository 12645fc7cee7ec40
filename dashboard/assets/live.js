/* Live pages: new data is shown quietly, or offered when somebody is in the middle of something; a server that is away
 * or was started anew is said. One question every few seconds, none while the tab is hidden. */
(function () {
  "use strict";
  const EVERY = 4000; // milliseconds between questions
  const live = (globalThis.__live = {
    state: null, boot: null, version: null, away: null, shown: 0, timer: null,
    calm: 10000, // milliseconds between two quiet changes of the page, and for which a figure may be older than the store without a word
    of: null, later: null, told: null, // of when the oldest figure is, and the clocks that renew it and say so
  });
  const root = () => { const brand = document.querySelector("a.brand"); return brand ? new URL(brand.href).pathname : "/"; };
  const strip = () => document.getElementById("live-strip");
  const clock = (date) => date.toTimeString().slice(0, 5);

  function say(tone, text, button, act) {
    const box = strip();
    if (!box) return;
    box.className = text ? `live-strip ${tone}` : "live-strip is-empty";
    box.textContent = text || "";
    if (!button) return;
    const element = document.createElement("button");
    element.textContent = button;
    element.addEventListener("click", act);
    box.appendChild(element);
  }

  /* what somebody typed into a form that acts, and did not send yet */
  const typed = new Map();
  document.addEventListener("input", (event) => {
    if (event.target.closest && event.target.closest("form.act-form")) typed.set(event.target, event.target.value);
  });
  function halfTyped() {
    for (const [field, text] of typed) if (!field.isConnected || field.value !== text) typed.delete(field);
    return Array.from(typed.values()).some((text) => text.trim());
  }

  /* what stands in the forms that somebody began to fill in: [id of the field, form, value] */
  function begun() {
    const forms = new Set(Array.from(typed.keys(), (field) => field.closest("form.act-form")).filter((form) => form && form.isConnected));
    const found = [];
    for (const form of forms)
      for (const field of form.querySelectorAll('[id^="{"][id$="}"]')) {
        const id = JSON.parse(field.id), part = id.field ? dash_component_api.getLayout(id) : null;
        if (part && part.props) found.push({ id: field.id, form: id.form, field, value: part.props.value });
      }
    return found;
  }

  /** For some seconds put back what is drawn anew, also what is typed meanwhile; but nothing into the form `sent`. */
  function keep(sent, held, until) {
    for (const one of begun()) if (one.form !== sent) held.set(one.id, one);
    for (const one of held.values()) {
      const now = document.getElementById(one.id);
      if (!now || now === one.field) continue;
      dash_clientside.set_props(JSON.parse(one.id), { value: one.value });
      if (typeof one.value === "string") typed.set(now, one.value);
      held.delete(one.id);
    }
    if (Date.now() < until) setTimeout(() => keep(sent, held, until), 60);
  }

  /** Whether a change of the page would take something out of somebody's hands. */
  function busy() {
    if (halfTyped()) return true;
    const active = document.activeElement;
    if (active && /^(INPUT|TEXTAREA|SELECT)$/.test(active.tagName)) return true;
    if (active && active.isContentEditable) return true;
    if (String(document.getSelection() || "").length) return true;
    if (document.querySelector(".mantine-Modal-content, [role=menu], .mantine-Popover-dropdown[data-position]")) {
      const open = Array.from(document.querySelectorAll(".mantine-Modal-content, [role=menu]"));
      if (open.some((element) => element.offsetParent !== null)) return true;
    }
    const view = globalThis.__lg;
    if (document.querySelector(".lineage-graph") && view && (view.touched || view.hover || view.find)) return true;
    return Boolean(document.querySelector("[data-busy]"));
  }

  const past = () => { const query = new URLSearchParams(location.search); return query.has("asof") || query.has("known"); };

  const told = () => ({ n: Date.now(), search: location.search });
  const news = () => dash_clientside.set_props("fresh", { data: told() });

  /* figures that the server gave from memory although its store has changed: it says of when they are */
  function forget() {
    clearTimeout(live.later);
    clearTimeout(live.told);
    Object.assign(live, { of: null, later: null, told: null, due: Infinity });
    note();
  }

  /** Beside the instant of the page: since when its figures stand still, once that is more than a few seconds. */
  function note() {
    const place = document.getElementById("held-note");
    if (!place) return;
    const old = live.of !== null && Date.now() - live.of >= live.calm;
    const at = old ? new Date(live.of).toISOString().slice(11, 19) : "";
    place.textContent = old ? `figures of ${at} UTC` : "";
    place.title = old ? `Some figures are of ${at} UTC; what has happened since is being worked out and appears by itself.` : "";
  }

  function held(what) {
    live.of = Math.min(live.of === null ? Infinity : live.of, what.of);
    clearTimeout(live.told);
    live.told = setTimeout(note, live.of + live.calm - Date.now());
    live.due = Math.min(live.due || Infinity, Date.now() + 1000 * what.left + 100);
    clearTimeout(live.later);
    live.later = setTimeout(renew, Math.max(live.due, live.shown + live.calm) - Date.now());
  }

  function renew() {
    if (busy()) say("info", "New data has arrived.", "Show it", live.show); else live.show();
  }

  /** The page is about to be drawn anew, after the form `sent` did something or since there is new data. */
  function renewing(sent) {
    live.shown = Date.now();
    live.seen = live.state;
    say("", "");
    forget();
    keep(sent, new Map(), Date.now() + 8000);
  }
  live.show = function () { renewing(null); news(); };

  function fresh() {
    if (live.seen === live.state || past()) return;
    if (busy()) { say("info", "New data has arrived.", "Show it", live.show); return; }
    if (Date.now() - live.shown >= live.calm) live.show();
  }

  /** What the server is still working out since its start, unless something else is said. */
  function working(text) {
    const box = strip();
    if (box && (!box.textContent || box.textContent === live.working)) say("info", text);
    live.working = text;
  }

  function heard(said) {
    const again = live.boot !== null && said.boot !== live.boot;
    const other = live.version !== null && said.version !== live.version;
    const was = live.away;
    if (live.boot === null) live.seen = said.state;
    Object.assign(live, { state: said.state, boot: said.boot, version: said.version, away: null });
    if (other) { say("warn", `The server now runs Meshline ${said.version}.`, "Load the page anew", () => location.reload()); return; }
    if (again || was) {
      live.seen = null;
      if (!past()) { renewing(null); news(); }
      const text = again ? `The server was started anew at ${clock(new Date())}.` : "The server answers again.";
      say("good", `${text} What you see is up to date; what you clicked meanwhile was not done.`, "Close", () => say("", ""));
      return;
    }
    if (said.working || live.working) working(said.working || "");
    fresh();
  }

  function lost() {
    live.away = live.away || new Date();
    say("bad", `The server has not answered since ${clock(live.away)}. What you see is from before; trying again…`, "Try now", ask);
  }

  let asked = 0; // an answer that comes after that of a later question is from before it
  async function ask() {
    const mine = ++asked;
    clearTimeout(live.timer);
    if (!document.hidden) {
      let said = null;
      try {
        const answer = await fetch(`${root()}_live`, { cache: "no-store" });
        if (answer.ok) said = await answer.json();
      } catch { /* away */ }
      if (mine !== asked) return; // the later one goes on asking
      if (said) heard(said); else lost();
    }
    live.timer = setTimeout(ask, live.away ? EVERY / 2 : EVERY);
  }
  live.ask = ask;

  document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
  live.timer = setTimeout(ask, 1500);

  /* notifications: which ones this browser has seen */
  const KEY = "meshline-seen";
  function seen() {
    try { return new Set(JSON.parse(localStorage.getItem(KEY) || "[]")); } catch { return new Set(); }
  }
  function unread(ids) { const known = seen(); return (ids || []).filter((id) => !known.has(id)); }

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.live = {
    /** Somebody acted, or a job ended: what is shown is asked for anew. */
    acted: function (what) {
      if (!what) return dash_clientside.no_update;
      renewing(what.form);
      return told();
    },

    /** An answer of the server is from before the store changed; another address has answers of its own. */
    held: function (what) {
      if (what && dash_clientside.callback_context.triggered.some((one) => one.prop_id === "held.data")) held(what);
      else forget();
    },

    /** Ask for notifications once the page stands, then when there is news, but not more often than once a minute. */
    bell_ask: function (_path, _fresh, _held, asked) {
      const now = Date.now(), left = asked ? Math.max(asked + 60000 - now, 0) : 900;
      if (live.bell) return dash_clientside.no_update; // it will be asked anyway
      live.bell = true;
      return new Promise((done) => setTimeout(() => { live.bell = false; done(Date.now()); }, left));
    },

    bell_count: function (ids, opened) {
      const open = dash_clientside.callback_context.triggered.some((one) => one.prop_id === "bell.opened") && opened;
      const fresh = unread(ids);
      if (open) {
        try { localStorage.setItem(KEY, JSON.stringify((ids || []).slice(0, 2000))); } catch { /* storage may be switched off */ }
        for (const id of fresh) {
          const row = document.querySelector(`[data-notice="${CSS.escape(id)}"]`);
          if (row) row.classList.add("is-new");
        }
      }
      const count = open ? 0 : fresh.length;
      const label = count ? `Notifications, ${count} new` : "Notifications, none new";
      return [count ? (count > 99 ? "99+" : String(count)) : "", count ? "bell-count" : "bell-count is-empty", label];
    },
  };
})();
