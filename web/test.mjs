// Bundles the unit tests (esbuild, no type stripping needed) and runs them under node:test.
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(fileURLToPath(import.meta.url));
const out = await mkdtemp(join(tmpdir(), "geoplan-web-"));
const names = (await readdir(join(root, "test"))).filter((name) => name.endsWith(".test.ts"));
await build({
  entryPoints: names.map((name) => join(root, "test", name)),
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node18",
  outdir: out,
  outExtension: { ".js": ".mjs" },
  jsx: "automatic",
  jsxImportSource: "preact",
  logLevel: "warning",
});
const files = names.map((name) => join(out, name.replace(/\.ts$/, ".mjs")));
const run = spawnSync(process.execPath, ["--test", ...files], { stdio: "inherit" });
await rm(out, { recursive: true, force: true });
process.exit(run.status ?? 1);
