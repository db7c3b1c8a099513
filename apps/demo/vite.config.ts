import { defineConfig } from "vite";

// The page is served by the gateway at `/`; while developing, `vite` serves it and passes the wire on to a gateway.
export default defineConfig({
  resolve: { conditions: ["@fovea/source", "module", "browser", "development|production"] },
  build: { target: "esnext", outDir: "dist", chunkSizeWarningLimit: 4_000 },
  server: { proxy: { "/xr": { target: "ws://127.0.0.1:8787", ws: true } } },
});
