import { defineConfig } from "vite";

export default defineConfig({
  base: "/dashboard/",
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
});
