// Draws /openapi.json, and asks no other host for anything: the fonts are those of the reader.
"use strict";

const sans = "system-ui, sans-serif";
const mono = "ui-monospace, monospace";

Redoc.init(
  "/openapi.json",
  {
    hideDownloadButton: false,
    jsonSampleExpandLevel: 3,
    pathInMiddlePanel: true,
    requiredPropsFirst: true,
    theme: {
      typography: {
        fontFamily: sans,
        headings: { fontFamily: sans },
        code: { fontFamily: mono },
      },
    },
  },
  document.getElementById("api"),
);
