// Puts script and style into the page, so that it is one file which needs nothing else, and a
// policy that allows these two and nothing that anyone could add.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Plugin } from "vite";

function source(code: string): string {
  return `'sha256-${createHash("sha256").update(code).digest("base64")}'`;
}

// A browser ends the element at its first end tag, whatever the language thinks of it.
function inline(tag: "script" | "style", code: string): string {
  if (tag === "script")
    return code.replaceAll(/<\/(script)/gi, "<\\/$1").replaceAll("<!--", "<\\!--");
  if (/<\/style/i.test(code)) throw new Error("the style holds its own end tag");
  return code;
}

// uPlot's licence wants its text in every copy.
function notice(): string {
  const text = readFileSync(new URL("./node_modules/uplot/LICENSE", import.meta.url), "utf8");
  return `<!--\nThe charts are drawn by uPlot:\n\n${text.trim()}\n-->`;
}

export function oneFile(): Plugin {
  return {
    name: "one-file",
    apply: "build",
    enforce: "post",
    generateBundle(_options, bundle) {
      let script = "";
      let style = "";
      for (const [name, part] of Object.entries(bundle)) {
        if (part.type === "chunk") script += inline("script", part.code);
        else if (name.endsWith(".css")) style += inline("style", String(part.source));
        else continue;
        delete bundle[name];
      }
      const page = bundle["index.html"];
      if (page?.type !== "asset") this.error("there is no index.html");
      const policy = [
        "default-src 'none'",
        `script-src ${source(script)}`,
        `style-src ${source(style)}`,
        "img-src data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
      ].join("; ");
      page.source = String(page.source)
        .replace(/^\s*<script\b[^>]*src=.*<\/script>\n/m, "")
        .replace(/^\s*<link rel="stylesheet".*>\n/m, "")
        // Functions: "$" in the code must mean itself.
        .replace(
          "<!-- policy -->",
          () => `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
        )
        .replace("</head>", () => `<style>${style}</style>\n</head>`)
        .replace("</body>", () => `<script type="module">${script}</script>\n</body>`)
        .replace("<html", () => `${notice()}\n<html`);
    },
  };
}
