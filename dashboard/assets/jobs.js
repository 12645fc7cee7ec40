/* Jobs: what one started is kept in the browser at once, what one presses is told by the press itself.
 *
 * The list is drawn anew while a job runs. A press counted by a button would be forgotten when the button is drawn
 * between the press and the question, and a question that a later one overtakes takes its answer with it: what was
 * started or pressed is therefore said with every question, and a question waits for the answer of the one before.
 */
(function () {
  "use strict";
  const PATIENCE = 5000; // milliseconds after which an answer is not waited for any more
  const same = () => dash_clientside.no_update;
  const asked = {}; // when each list was asked for, 0 once it has answered

  /** The number of this question, unless the list still owes an answer. */
  function ask(name) {
    const now = Date.now();
    if (asked[name] && now - asked[name] < PATIENCE) return same();
    asked[name] = now;
    return now;
  }

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.jobs = {
    mine: function (started, mine) {
      const kept = mine || [];
      return !started || kept.includes(started) ? same() : kept.concat([started]);
    },

    tick: function () { return ask("tray"); },
    told: function () { asked.tray = 0; },

    /** The list of everybody's jobs. */
    look: function (ticks) { return ticks.some(Boolean) ? ask("all") : same(); }, // a clock that was only drawn has not ticked
    seen: function () { asked.all = 0; },
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest("button[data-job]");
    if (!button) return;
    const { job, press, told } = button.dataset;
    dash_clientside.set_props(told, { data: { job, press, n: Date.now() } });
  });
})();
