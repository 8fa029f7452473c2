import { defineConfig } from "vite";

import { oneFile } from "./one_file.ts";

export default defineConfig({
  plugins: [oneFile()],
  build: {
    target: "es2022",
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
