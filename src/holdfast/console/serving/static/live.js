// Shows what changes as it changes. Nothing needs it: without a script the page loads itself again, and every form works as it is.
"use strict";
(() => {
  const [now, ask, rest, line] = ["now", "ask", "rest", "live"].map(name => document.getElementById(name));
  if (!now || !ask || !rest || !line || !window.EventSource) return;
  const STALE = 30000, AGAIN = 5000;
  let heard = Date.now(), source = null;

  const say = text => { if (line.textContent !== text) line.textContent = text; };
  const stale = is => document.documentElement.classList.toggle("stale", is);

  function shown(page) {
    if (String(page.exercise) !== document.documentElement.dataset.exercise) { location.reload(); return; }
    heard = Date.now();
    stale(false);
    document.title = page.title;
    now.innerHTML = page.now;
    rest.innerHTML = page.rest;
    if (ask.dataset.key !== page.key) {
      const typed = [...ask.querySelectorAll("input[type=text]")].some(field => field.value);
      ask.innerHTML = page.ask;
      ask.dataset.key = page.key;
      say(typed ? "what is asked has changed: what you typed was for something else and was not sent" : "what is asked has changed");
    } else say("live");
  }

  function open() {
    source = new EventSource("/live");
    source.addEventListener("page", event => shown(JSON.parse(event.data)));
    source.addEventListener("silent", event => { stale(true); say(JSON.parse(event.data).text); });
    source.addEventListener("over", () => { source.close(); stale(true); say("this session has ended: load the page again to sign in"); });
    source.addEventListener("error", () => { if (source.readyState === EventSource.CLOSED) setTimeout(open, AGAIN); });
  }

  setInterval(() => {
    if (Date.now() - heard > STALE) { stale(true); say("nothing was heard for a while: what is shown may be old"); }
  }, 1000);
  open();
})();
