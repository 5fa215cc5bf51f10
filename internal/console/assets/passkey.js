// Passkeys (https://www.w3.org/TR/webauthn-3/). Without this script, or in a browser without
// passkeys, a password and a code do.
"use strict";
(() => {
  const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const toText = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const known = (list) => (list || []).map((c) => ({ ...c, id: toBytes(c.id) }));

  const post = async (address, body) => {
    const answer = await fetch(address, { method: "POST", body, headers: { "content-type": "application/json" }, credentials: "same-origin", redirect: "error" });
    const value = await answer.json();
    if (!answer.ok) throw Object.assign(new Error(value.error), { to: value.to });
    return value;
  };
  const create = async (options) => {
    const made = await navigator.credentials.create({ publicKey: { ...options, challenge: toBytes(options.challenge),
      user: { ...options.user, id: toBytes(options.user.id) }, excludeCredentials: known(options.excludeCredentials) } });
    const r = made.response;
    return { made, response: { clientDataJSON: toText(r.clientDataJSON), attestationObject: toText(r.attestationObject), transports: r.getTransports ? r.getTransports() : [] } };
  };
  const get = async (options) => {
    const made = await navigator.credentials.get({ publicKey: { ...options, challenge: toBytes(options.challenge), allowCredentials: known(options.allowCredentials) } });
    const r = made.response;
    return { made, response: { clientDataJSON: toText(r.clientDataJSON), authenticatorData: toText(r.authenticatorData), signature: toText(r.signature),
      userHandle: r.userHandle ? toText(r.userHandle) : undefined } };
  };

  for (const button of document.querySelectorAll("button[data-passkey]")) {
    const said = document.getElementById(button.dataset.says);
    if (!window.PublicKeyCredential) {
      said.textContent = "This browser has no passkeys.";
      continue;
    }
    button.hidden = false;
    button.addEventListener("click", async () => {
      if (button.classList.contains("is-busy")) return;
      button.classList.add("is-busy");
      said.textContent = "";
      try {
        const challenge = await post(button.dataset.begin);
        const { made, response } = await (button.dataset.passkey === "create" ? create : get)(challenge.options);
        const done = await post(button.dataset.begin + "/" + challenge.id + location.search,
          JSON.stringify({ id: made.id, rawId: toText(made.rawId), type: made.type, authenticatorAttachment: made.authenticatorAttachment || undefined, clientExtensionResults: {}, response }));
        location.assign(done.to);
        return;
      } catch (error) {
        if (error.to) {
          location.assign(error.to); // the server asks first who it is
          return;
        }
        // A browser says NotAllowedError when the person cancels, and when there is none.
        const cancelled = error.name === "NotAllowedError", there = error.name === "InvalidStateError";
        said.textContent = cancelled ? "No passkey was used." : there ? "This device has a passkey for you already." : error.message || "This did not work. Try again.";
      }
      button.classList.remove("is-busy");
    });
  }
})();
