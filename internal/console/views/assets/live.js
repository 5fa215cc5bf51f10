// Keeps a page of the console fresh, without moving what somebody works with. Without this
// script, a page shows what was so when it was asked for.
"use strict";
(() => {
  const every = 5000, old = 10000;
  let shown = Date.now(), pointed = 0, asking = false, rest = 0;

  const busy = () => {
    const view = document.getElementById("view");
    const active = document.activeElement;
    // A form or a box that scrolls keeps what is typed, chosen or shown; rows do not move under the pointer.
    if (active && view.contains(active) && active.id !== "main" && !active.matches("h1")) return true;
    if (view.querySelector("form[data-sent]")) return true;
    return Date.now() - pointed < every && view.querySelector("tr:hover, .btn:hover") !== null;
  };
  const newest = (root) => {
    // On a narrow screen a chart shows its newest end.
    for (const box of root.querySelectorAll("[data-newest]")) box.scrollLeft = box.scrollWidth;
  };
  const put = (html) => {
    const made = new DOMParser().parseFromString(html, "text/html").getElementById("view");
    const view = document.getElementById("view");
    if (!made || !view) return;
    const open = [...view.querySelectorAll("details")].map((d) => d.open);
    const boxes = [...view.querySelectorAll(".scroll, .wide")].map((b) => [b.scrollLeft, b.scrollTop]);
    view.replaceWith(document.adoptNode(made));
    made.querySelectorAll("details").forEach((d, i) => { d.open = Boolean(open[i]); });
    made.querySelectorAll(".scroll, .wide").forEach((b, i) => { if (boxes[i]) [b.scrollLeft, b.scrollTop] = boxes[i]; });
    shown = Date.now();
  };
  const ask = async () => {
    const live = document.getElementById("live");
    if (!live || asking || document.hidden || busy() || Date.now() < rest) return;
    asking = true;
    rest = Date.now() + 6 * every; // a server that does not answer is asked less often
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html; fragment" }, credentials: "same-origin", redirect: "error" });
      const html = await answer.text();
      if (answer.ok) rest = 0;
      if (answer.ok && !busy()) put(html);
    } catch { /* the age says it */ }
    asking = false;
  };
  addEventListener("pointermove", () => { pointed = Date.now(); }, { passive: true });
  setInterval(ask, every);
  setInterval(() => {
    const live = document.getElementById("live");
    if (live) live.classList.toggle("is-old", Date.now() - shown > old);
  }, 1000);
  document.addEventListener("visibilitychange", ask);
  newest(document);
})();
