// Keeps the page fresh on which a person signs in. Without this script it looks again by itself.
"use strict";
(() => {
  const second = 1000;
  const byID = (id) => document.getElementById(id);
  const made = (html) => new DOMParser().parseFromString(html, "text/html");
  let fresh = Date.now(); // when the last code came
  let busy = false;

  // hide takes a code away that nobody has renewed: it would be refused.
  const hide = () => {
    const path = byID("qr-path");
    if (!path || Date.now() - fresh < 4 * second) return;
    path.setAttribute("d", "");
  };

  // take puts what has changed of the same state into the page.
  const take = (page) => {
    const code = page.getElementById("qr-path");
    if (code && byID("qr-path")) {
      byID("qr-path").setAttribute("d", code.getAttribute("d"));
      byID("qr-path").parentNode.setAttribute("viewBox", code.parentNode.getAttribute("viewBox"));
      fresh = Date.now();
    }
    const ring = page.getElementById("qr-ring");
    if (ring && byID("qr-ring")) byID("qr-ring").setAttribute("stroke-dashoffset", ring.getAttribute("stroke-dashoffset"));
    for (const id of ["qr-left", "say"]) {
      const now = page.getElementById(id);
      if (now && byID(id) && byID(id).textContent !== now.textContent) byID(id).textContent = now.textContent;
    }
  };

  const look = async () => {
    const waits = byID("signin");
    if (!waits || busy || !navigator.onLine) return hide();
    busy = true;
    try {
      const answer = await fetch(waits.dataset.page, { headers: { Accept: "text/html; fragment" }, cache: "no-store", signal: AbortSignal.timeout(8 * second) });
      if (answer.redirected) {
        location.replace(answer.url);
        return;
      }
      if (!answer.ok && answer.status >= 500) return;
      const html = await answer.text();
      const page = made(html);
      const state = page.getElementById("signin");
      if (state && state.dataset.state === waits.dataset.state) take(page);
      else {
        window.samlaLook.show(html);
        fresh = Date.now();
      }
    } catch {
      hide();
    } finally {
      busy = false;
    }
  };
  setInterval(look, second);
  addEventListener("pageshow", look);
  document.addEventListener("visibilitychange", look);
})();
