// Shows the document of a version. Each request asks for that version, the document's too.
"use strict";
(() => {
  const place = document.getElementById("viewer");
  const version = place.dataset.version;
  window.SwaggerUIBundle({
    url: "/openapi.json",
    domNode: place,
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: -1,
    displayRequestDuration: true,
    validatorUrl: null,
    supportedSubmitMethods: "try" in place.dataset ? ["get", "put", "post", "delete", "patch"] : [],
    requestInterceptor: (request) => {
      request.headers["Insurely-Version"] = version;
      return request;
    },
    onComplete: () => { place.dataset.shown = "yes"; },
  });
})();
