// What all pages share. Without this script they work as plain forms.
"use strict";
(() => {
  // A second press of the same button is ignored. The label stays.
  addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    const button = event.submitter;
    if (button) {
      button.setAttribute("aria-disabled", "true");
      button.classList.add("is-busy");
    }
  });
  // A page that comes back from the history can be used again.
  const free = () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
    for (const button of document.querySelectorAll(".is-busy")) {
      button.removeAttribute("aria-disabled");
      button.classList.remove("is-busy");
    }
  };
  addEventListener("pageshow", (event) => {
    if (event.persisted) free();
  });
  // The focus goes to what a page wants read first: the summary of errors, or what an act has changed.
  const focus = (from) => {
    const first = from.querySelector("[data-focus]");
    if (first) {
      if (!first.hasAttribute("tabindex")) first.setAttribute("tabindex", "-1");
      first.focus();
      return true;
    }
    return false;
  };
  focus(document);
  window.samlaLook = {
    free,
    // show puts a new state in place of the old one, and moves the focus to its heading.
    show(html) {
      const made = new DOMParser().parseFromString(html, "text/html").getElementById("view");
      const old = document.getElementById("view");
      if (!made || !old) return false;
      old.replaceWith(document.adoptNode(made));
      const main = document.getElementById("main");
      if (main && main.dataset.title) document.title = main.dataset.title;
      if (!focus(made)) {
        const heading = made.querySelector("h1");
        if (heading) {
          heading.setAttribute("tabindex", "-1");
          heading.focus();
        }
      }
      return true;
    },
  };
})();
