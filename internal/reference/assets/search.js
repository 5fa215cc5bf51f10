// Searches while one types. Without this script the form does it.
"use strict";
(() => {
  const form = document.querySelector("form[data-live]");
  if (!form) return;
  let waiting = 0, newest = 0;
  const look = async () => {
    const mine = ++newest;
    const address = form.action + "?q=" + encodeURIComponent(form.elements.q.value);
    const answer = await fetch(address, { headers: { Accept: "text/html; fragment" } });
    if (!answer.ok || mine !== newest) return;
    const made = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("results");
    const old = document.getElementById("results");
    if (!made || !old) return;
    old.replaceWith(document.adoptNode(made));
    history.replaceState(null, "", address);
  };
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => look().catch(() => {}), 150);
  });
})();
