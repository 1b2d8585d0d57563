// Bundles the page into dist/: hashed assets, one index.html, the notices of what is bundled.
import { build } from "esbuild";
import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const root = dirname(fileURLToPath(import.meta.url));
const dist = join(root, "dist");
const modules = join(root, "node_modules");

const shared = {
  absWorkingDir: root,
  bundle: true,
  format: "esm",
  target: ["es2022", "chrome110", "firefox110", "safari16.4"],
  minify: true,
  legalComments: "none",
  metafile: true,
  outdir: dist,
  entryNames: "assets/[name]-[hash]",
  assetNames: "assets/vazirmatn-[hash]",
  loader: { ".woff2": "file" }, // the only kind of file beside code and style
  logLevel: "warning",
};

/** The one output file of a build that ends with `ext`. */
function output(result, ext) {
  const file = Object.keys(result.metafile.outputs).find((name) => name.endsWith(ext));
  if (!file) throw new Error(`the build made no ${ext} file`);
  return relative(dist, join(root, file)).replaceAll("\\", "/");
}

async function notices() {
  const parts = [];
  for (const [name, file] of [
    ["maplibre-gl", "LICENSE.txt"],
    ["preact", "LICENSE"],
    ["vazirmatn", "OFL.txt"],
  ]) {
    const about = JSON.parse(await readFile(join(modules, name, "package.json"), "utf8"));
    const text = await readFile(join(modules, name, file), "utf8");
    parts.push(`${name} ${about.version} (${about.license})\n\n${text.trim()}\n`);
  }
  return parts.join(`\n${"-".repeat(72)}\n\n`);
}

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });

// MapLibre's worker is a module of its own: it is loaded by URL, never imported by the page.
const worker = await build({
  ...shared,
  entryPoints: { "map-worker": join(modules, "maplibre-gl/dist/maplibre-gl-worker.mjs") },
});
const page = await build({
  ...shared,
  entryPoints: { geoplan: "src/main.tsx" },
  jsx: "automatic",
  jsxImportSource: "preact",
  define: { "process.env.NODE_ENV": '"production"' },
});

const html = (await readFile(join(root, "index.html"), "utf8"))
  .replaceAll("%SCRIPT%", output(page, ".js"))
  .replaceAll("%STYLE%", output(page, ".css"))
  .replaceAll("%FONT%", output(page, ".woff2"))
  .replaceAll("%WORKER%", output(worker, ".js"));
await writeFile(join(dist, "index.html"), html);
await writeFile(join(dist, "notices.txt"), await notices());

for (const file of [output(page, ".js"), output(worker, ".js"), output(page, ".css"), output(page, ".woff2")]) {
  const bytes = await readFile(join(dist, file));
  const size = (await stat(join(dist, file))).size;
  const kib = (n) => `${(n / 1024).toFixed(0)} KiB`.padStart(9);
  console.log(`${basename(file).padEnd(32)}${kib(size)}${kib(gzipSync(bytes).length)} gzip`);
}
