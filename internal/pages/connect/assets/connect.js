// Keeps the connect page fresh. Without this script it works as plain forms.
"use strict";
(() => {
  const byID = (id) => document.getElementById(id);
  const flow = () => byID("flow");
  if (!flow()) return;

  const second = 1000;
  const patience = 8 * second; // with an answer
  let tag = "";
  let misses = 0; // polls in a row that failed
  let skew = 0; // server's clock minus ours
  let until = 0;
  let fresh = Date.now(); // when the last code came
  let spoken = Infinity;
  let busy = false;
  let timer = 0;

  const show = (element, shown) => {
    if (element) element.hidden = !shown;
  };
  const say = (text) => {
    const live = byID("live");
    if (live && text) live.textContent = text;
  };
  const net = (text) => {
    const note = byID("net");
    if (!note) return;
    const span = note.querySelector("span");
    if (span.textContent !== text) span.textContent = text;
    show(note, text !== "");
  };

  // Messages to the page that frames this one, and to its registered origin only.
  const sent = {};
  const tell = (name, value, more) => {
    const origin = flow() ? flow().dataset.origin : "";
    if (origin && window.parent !== window) window.parent.postMessage({ name, value, ...more }, origin);
  };
  const tellNews = (name, value, more) => {
    if (!value || sent[name] === value) return;
    sent[name] = value;
    tell(name, value, more);
  };
  const tellState = () => {
    const d = flow().dataset;
    tellNews("APP_LOADED", true);
    tellNews("PAGE_VIEW", d.view);
    tellNews("SELECTED_COMPANY", d.company);
    tellNews("SELECTED_AUTHENTICATION_METHOD", d.method);
    if (d.collection && sent.COLLECTION_ID !== d.collection) tell("COLLECTION_INITIATED", d.collection);
    tellNews("COLLECTION_ID", d.collection);
    tellNews("COLLECTION_STATUS", d.status);
    tellHeight();
    const status = d.collection + d.results;
    if (d.results && sent.RESULTS !== status && framed()) {
      sent.RESULTS = status;
      fetch(d.results, { cache: "no-store" }).then(async (answer) => {
        if (answer.ok) tell("RESULTS", await answer.json());
      }).catch(() => {});
    }
  };
  const framed = () => window.parent !== window && flow() && "origin" in flow().dataset;
  const tellHeight = () => tell("HEIGHT", document.body.scrollHeight);
  if (framed()) {
    document.documentElement.classList.add("framed");
    new ResizeObserver(tellHeight).observe(document.body);
  }

  // read takes over what a new page says.
  const read = () => {
    const d = flow().dataset;
    tag = "";
    spoken = Infinity;
    fresh = Date.now();
    tellState();
    place();
    until = Number(d.until || 0);
    if (d.now) skew = Number(d.now) - Date.now();
    show(byID("larger"), true);
    count(false);
    const crowded = byID("busy");
    if (crowded) setTimeout(() => tryAgain(crowded), (5 + 5 * Math.random()) * second);
    const slow = byID("slow");
    if (slow) setTimeout(() => show(slow, true), 8 * second);
    for (const part of document.querySelectorAll("[data-after]")) {
      show(part, false);
      setTimeout(() => show(part, true), Number(part.dataset.after) * second);
    }
    for (const button of document.querySelectorAll("[data-late]")) {
      button.setAttribute("aria-disabled", "true");
      setTimeout(() => button.removeAttribute("aria-disabled"), 60 * second);
    }
  };

  // place lets the history lead back to the list, and to what is approved, but to nothing later.
  const place = () => {
    const at = { START: "start", REVIEW: "review" }[byID("main").dataset.view];
    const here = new URLSearchParams(location.search);
    if (here.get("at") === (at || null) || here.has("q") || byID("main").dataset.view === "RUNNING") return;
    if (at) here.set("at", at);
    else here.delete("at");
    here.delete("choose");
    history.replaceState(null, "", location.pathname + (here.size ? `?${here}` : ""));
  };

  // tryAgain presses the button again that the server had no room for.
  const tryAgain = (mark) => {
    if (!mark.isConnected) return;
    const button = document.querySelector(`button[name=way][value="${CSS.escape(mark.dataset.again)}"]`);
    if (button) button.form.requestSubmit(button);
  };

  // renew gets the page of the new state and puts it in place of this one.
  const renew = async () => {
    const answer = await fetch(flow().dataset.page, { headers: { Accept: "text/html; fragment" }, cache: "no-store" });
    if (window.samlaLook.show(await answer.text()) && flow()) read();
  };

  // draw shows the newest code: a text that is drawn here, or a picture of the institution.
  const draw = (state) => {
    const card = document.querySelector(".qr-card");
    if (!card || (!state.qr && !state.png)) return;
    fresh = Date.now();
    const code = card.querySelector(".qr-code");
    const drawn = state.qr ? window.samlaLook.qr(state.qr) : null;
    if (drawn && byID("qr-path")) {
      code.setAttribute("viewBox", `0 0 ${drawn.side} ${drawn.side}`);
      byID("qr-path").setAttribute("d", drawn.path);
    } else if (state.png && code && code.tagName === "IMG") code.src = `data:image/png;base64,${state.png}`;
    else return;
    code.removeAttribute("data-stale");
    code.removeAttribute("hidden");
    const cover = card.querySelector(".qr-cover");
    if (cover) cover.remove();
  };

  // hide takes a code away that nobody has renewed: it would be refused.
  const hide = () => {
    const code = document.querySelector("svg.qr-code");
    if (!code || Date.now() - fresh < 3 * second || code.hasAttribute("hidden")) return;
    byID("qr-path").setAttribute("d", "");
    code.setAttribute("data-stale", "");
    code.setAttribute("hidden", "");
    const cover = document.createElement("p");
    cover.className = "qr-cover";
    cover.textContent = flow().dataset.stale;
    code.before(cover);
    say(flow().dataset.stale);
  };

  const tick = () => {
    if (!flow()) return;
    hide();
    const left = byID("qr-left");
    if (!until || !left) return;
    const seconds = Math.max(0, Math.round((until - Date.now() - skew) / second));
    const text = flow().dataset.left.replace("%m", Math.floor(seconds / 60)).replace("%s", String(seconds % 60).padStart(2, "0"));
    if (left.textContent !== text) left.textContent = text;
    const ring = byID("qr-ring");
    const whole = Number(flow().dataset.whole || 0);
    if (ring && whole) ring.setAttribute("stroke-dashoffset", String(Math.min(100, Math.max(0, 100 - (100 * seconds * second) / whole))));
    const d = flow().dataset;
    for (const [at, words] of [[120, d.minutes], [60, d.minute], [20, d.soon]]) {
      if (seconds <= at && spoken > at) {
        if (spoken !== Infinity) say(words);
        spoken = at;
      }
    }
    if (spoken === Infinity) spoken = seconds + 1;
  };

  const poll = async () => {
    if (busy || !flow() || !("polled" in flow().dataset)) return;
    if (!navigator.onLine) {
      net(flow().dataset.off);
      return;
    }
    busy = true;
    try {
      const answer = await fetch(flow().dataset.state, { headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store", signal: AbortSignal.timeout(patience) });
      if (answer.status === 404) {
        location.reload();
        return;
      }
      if (!answer.ok && answer.status !== 304) throw new Error(String(answer.status));
      misses = 0;
      net("");
      if (answer.status === 304) return;
      const state = await answer.json();
      tag = answer.headers.get("ETag") || "";
      if (String(state.rev) !== flow().dataset.rev) {
        await renew();
        return;
      }
      draw(state);
      if (state.until) until = state.until;
      const message = document.querySelector("#say span");
      if (message && state.say && message.textContent !== state.say) message.textContent = state.say;
    } catch {
      misses++;
      if (misses === 3) tell("ERROR", { code: "SERVER_UNREACHABLE", attribution: navigator.onLine ? "SAMLA" : "USER", reference: flow() ? flow().dataset.ref : "" });
      if (misses >= 3 && flow()) net(navigator.onLine ? flow().dataset.server.replace("0", wait() / second) : flow().dataset.off);
    } finally {
      busy = false;
    }
  };

  // wait returns the time until the next question: longer for a page that nobody sees, and
  // while nobody answers.
  const wait = () => {
    if (misses >= 3) return Math.min(2 ** (misses - 3), 10) * second;
    return document.hidden ? 5 * second : second;
  };
  let asked = Date.now();
  const again = () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      asked = Date.now();
      await poll();
      again();
    }, Math.max(0, wait() - (Date.now() - asked)));
  };
  const atOnce = async () => {
    misses = 0;
    asked = Date.now();
    await poll();
    again();
  };

  addEventListener("online", atOnce);
  addEventListener("offline", () => {
    if (flow()) net(flow().dataset.off);
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted) atOnce();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) atOnce();
  });

  // The list is searched while typing, without case and accents.
  const plain = (text) => text.toLowerCase().normalize("NFD").replace(/[\u0300-\u036f]/g, "").trim();
  document.addEventListener("input", (event) => {
    if (event.target.id !== "q") return;
    const typed = plain(event.target.value);
    const rows = byID("rows");
    let found = 0;
    for (const row of rows.children) {
      const hit = plain(row.querySelector(".row-name").textContent).includes(typed) || (row.dataset.id || "").includes(typed);
      row.hidden = !hit;
      if (hit) found++;
    }
    show(byID("none"), found === 0);
    const status = byID("found");
    if (status) status.textContent = found === 1 ? rows.dataset.single : rows.dataset.other.replace(/1\D?000/, String(found));
  });

  // The button says how many accounts are shared, and one box stands for all of them.
  const count = (spoken) => {
    const form = byID("accounts");
    if (!form) return;
    const boxes = [...form.querySelectorAll("input[name=account]")];
    const chosen = boxes.filter((box) => box.checked).length;
    const d = form.dataset;
    const text = chosen === 0 ? d.none : chosen === 1 ? d.single : d.other.replace(/1\D?000/, String(chosen));
    form.querySelector(".btn-main").textContent = text;
    if (spoken) say(text);
    const all = form.querySelector("#all input");
    if (!all) return;
    show(byID("all"), true);
    all.checked = chosen === boxes.length;
    all.indeterminate = chosen > 0 && !all.checked;
  };
  document.addEventListener("change", (event) => {
    const form = event.target.closest("#accounts");
    if (!form) return;
    if (event.target.closest("#all")) for (const box of form.querySelectorAll("input[name=account]")) box.checked = event.target.checked;
    count(true);
  });

  // A larger code.
  const large = (on) => {
    document.body.classList.toggle("qr-large", on);
    show(byID("tip"), on);
    const button = byID("larger");
    if (button) button.textContent = on ? flow().dataset.smaller : flow().dataset.larger;
  };
  document.addEventListener("click", (event) => {
    if (event.target.id === "larger") large(!document.body.classList.contains("qr-large"));
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && byID("larger")) large(false);
  });
  // In a frame the host opens the app, and closes the page.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link || !flow()) return;
    if (link.id === "app") setTimeout(() => show(byID("closed"), true), 5 * second);
    if (link.id === "app" && flow().dataset.token) {
      if (sent.OPEN_SWEDISH_BANKID !== flow().dataset.token) tell("OPEN_SWEDISH_BANKID", { url: link.href, autostartToken: flow().dataset.token });
      sent.OPEN_SWEDISH_BANKID = flow().dataset.token;
    }
    if (framed() && link.pathname.startsWith("/c/leave/")) {
      event.preventDefault();
      tell("APP_CLOSE", true);
      fetch(link.href, { redirect: "manual" });
    }
  });
  // A button that is of use later does nothing yet.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[aria-disabled=true]");
    if (button) event.preventDefault();
  });

  read();
  setInterval(tick, second);
  again();
})();
