// The loader of the connect page for pages that embed it:
//
//   <script src="https://samla.example.com/connect.js"></script>
//   const page = SamlaConnect.open({ url, into: document.getElementById("place"), on: (name, value, message) => … });
//   page.close();
//
// url is that of a link (POST /connect-links) with the origin of the embedding page. on is
// called with each message of the page (docs/reference/api.md 13.3).
"use strict";
window.SamlaConnect = {
  open({ url, into = document.body, on = () => {}, title = "Samla" }) {
    const origin = new URL(url).origin;
    const frame = document.createElement("iframe");
    frame.src = url;
    frame.title = title;
    frame.style.cssText = "border:0;width:100%;min-height:32rem";
    const listen = (event) => {
      if (event.source !== frame.contentWindow || event.origin !== origin || !event.data || typeof event.data.name !== "string") return;
      if (event.data.name === "HEIGHT") frame.style.height = `${event.data.value}px`;
      else on(event.data.name, event.data.value, event.data);
    };
    addEventListener("message", listen);
    into.append(frame);
    return {
      frame,
      close() {
        removeEventListener("message", listen);
        frame.remove();
      },
    };
  },
};
