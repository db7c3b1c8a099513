#!/usr/bin/env node
// Starts the command line on the runtime that came with the workspace (package "node"), whatever Node the host has.
// In a checkout it runs the TypeScript sources; in an installed package it runs the compiled files.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, "../src/main.ts");
const isCheckout = existsSync(source) && !here.includes(`${join("node_modules", "@fovea")}`);

function runtime() {
  try {
    const manifest = createRequire(import.meta.url).resolve("node/package.json");
    const binary = join(dirname(manifest), "bin", process.platform === "win32" ? "node.exe" : "node");
    if (existsSync(binary)) return binary;
  } catch {
    // Not installed beside us: the host's own runtime must do.
  }
  return process.execPath;
}

const entry = isCheckout ? source : join(here, "../dist/src/main.js");
const flags = isCheckout ? ["--conditions=@fovea/source"] : [];
const child = spawn(runtime(), [...flags, entry, ...process.argv.slice(2)], { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => {
  process.exitCode = signal === null ? (code ?? 1) : 1;
});
