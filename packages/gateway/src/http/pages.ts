import { existsSync } from "node:fs";
import { join } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance } from "fastify";

export interface PageFolders {
  /** Holds `index.html` and its assets; served at `/`. */
  readonly demo: string;
  /** The same for `/dashboard`. */
  readonly dashboard: string;
}

/** Own scripts only; WebAssembly and blob workers, which decoders of three.js and audio worklets need. */
const POLICY =
  "default-src 'self'; script-src 'self' 'wasm-unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws: wss: data: blob:; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The demo and the dashboard. Pages are public: what they show they ask for with the visitor's own credential. */
export async function registerPages(app: FastifyInstance, folders: PageFolders): Promise<void> {
  await app.register(async (scope) => {
    scope.addHook("onRoute", (route) => {
      route.config = { ...route.config, access: "public" };
    });
    scope.addHook("onSend", (_request, reply, _payload, done) => {
      if (String(reply.getHeader("content-type")).startsWith("text/html")) {
        void reply.header("content-security-policy", POLICY);
        void reply.header(
          "permissions-policy",
          "xr-spatial-tracking=(self), microphone=(self), camera=(self), geolocation=()",
        );
      }
      done();
    });
    await scope.register(fastifyStatic, {
      // Files are sent by the routes below, from their own folders.
      root: import.meta.dirname,
      serve: false,
      dotfiles: "ignore",
      index: false,
      setHeaders: (reply, path) => {
        // Vite names assets by their content.
        const isHashed = /[\\/]assets[\\/]/.test(path);
        void reply.header("cache-control", isHashed ? "public, max-age=31536000, immutable" : "no-cache");
      },
    });
    serveFolder(scope, "dashboard", folders.dashboard, "/dashboard/");
    serveFolder(scope, "demo", folders.demo, "/");
  });
}

/**
 * The folder is looked at with each request: a page that is built, or built anew, while the gateway runs is there. What is
 * no file below the folder is not found, however its path is written.
 */
function serveFolder(scope: FastifyInstance, name: string, root: string, prefix: string): void {
  scope.get(prefix, (_request, reply) =>
    existsSync(join(root, "index.html"))
      ? reply.sendFile("index.html", root)
      : reply.code(503).type("text/html; charset=utf-8").send(missingPage(name)),
  );
  scope.get<{ Params: { "*": string } }>(`${prefix}*`, (request, reply) => {
    const path = request.params["*"];
    return path === "" || !existsSync(root) ? reply.callNotFound() : reply.sendFile(path, root);
  });
}

function missingPage(name: string): string {
  return `<!doctype html><meta charset="utf-8"><title>Fovea</title><style>body{font:16px/1.5 system-ui;max-width:40rem;margin:4rem auto;padding:0 1rem}code{background:#8883;padding:.1em .3em;border-radius:.2em}</style>
<h1>The ${name} page is not built</h1><p>The gateway runs, its page is missing. Start it with <code>npm start</code>, which builds the pages first.</p>
<p>The API is here: <a href="/v1/models">/v1/models</a>, <a href="/metrics">/metrics</a>, <a href="/healthz">/healthz</a>.</p>`;
}
