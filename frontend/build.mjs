// Builds the pages' scripts and styles into hub/web/static/dist.
//
// Every src/<area>/main.ts(x) becomes <area>.js and every src/<area>/main.css becomes <area>.css;
// src/styles/<name>.css is an entry of its own, except those that begin with "_" (parts to import).
// Names carry a hash of the content, manifest.json maps the plain name to the hashed one, and every
// file has a .gz twin. The build fails when an entry's first load is heavier than its budget.

import { context, build } from "esbuild";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, "src");
const target = join(here, "..", "hub", "web", "static", "dist");
const watching = process.argv.includes("--watch");

// Gzipped kilobytes (1024) of an entry with everything it imports statically.
const budgets = {
  "board.js": 90,
  "driver.js": 35,
  "track.js": 50,
  "admin.js": 45,
  "editor.js": 160,
  "app.css": 15,
  "admin.css": 15,
  "board.css": 15,
  "driver.css": 15,
  "track.css": 15,
};

async function findEntries() {
  const entries = {};
  for (const area of (await readdir(source, { withFileTypes: true })).filter((e) => e.isDirectory())) {
    for (const ending of ["ts", "tsx", "css"]) {
      const path = join(source, area.name, `main.${ending}`);
      if (existsSync(path)) entries[ending === "css" ? `${area.name}.css` : `${area.name}.js`] = path;
    }
  }
  for (const name of await readdir(join(source, "styles"))) {
    if (name.endsWith(".css") && !name.startsWith("_")) entries[name] = join(source, "styles", name);
  }
  entries["icon.svg"] = join(source, "styles", "icon.svg");
  return entries;
}

function options(entries, outdir) {
  const points = Object.entries(entries).map(([name, path]) => ({
    in: path,
    out: name.replace(/\.\w+$/, ""),
  }));
  return {
    entryPoints: points,
    outdir,
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    minify: !watching,
    sourcemap: watching,
    metafile: true,
    legalComments: "linked",
    entryNames: "[name]-[hash]",
    chunkNames: "part-[hash]",
    assetNames: "[name]-[hash]",
    jsx: "automatic",
    jsxImportSource: "preact",
    loader: { ".png": "file", ".svg": "copy" },
    logLevel: "warning",
  };
}

function manifestOf(metafile, entries, outdir) {
  const manifest = {};
  for (const [path, made] of Object.entries(metafile.outputs)) {
    if (!made.entryPoint) continue;
    const name = Object.keys(entries).find(
      (key) => relative(process.cwd(), entries[key]) === made.entryPoint && key.endsWith(path.slice(path.lastIndexOf("."))),
    );
    if (name) manifest[name] = { file: basename(path), needs: staticParts(metafile, path).map((p) => basename(p)) };
  }
  return manifest;
}

function staticParts(metafile, path, seen = new Set([path])) {
  for (const { path: next, kind } of metafile.outputs[path].imports) {
    if (kind === "import-statement" && !seen.has(next)) {
      seen.add(next);
      staticParts(metafile, next, seen);
    }
  }
  return [...seen].filter((p) => p !== path);
}

async function compress(outdir) {
  const sizes = {};
  for (const name of await readdir(outdir)) {
    if (!/\.(js|css|svg|json|txt)$/.test(name)) continue;
    const packed = gzipSync(await readFile(join(outdir, name)), { level: 9 });
    sizes[name] = packed.length;
    await writeFile(join(outdir, `${name}.gz`), packed);
  }
  return sizes;
}

function checkBudgets(manifest, sizes) {
  let broken = false;
  for (const [name, { file, needs }] of Object.entries(manifest)) {
    const kilobytes = [file, ...needs].reduce((sum, part) => sum + (sizes[part] ?? 0), 0) / 1024;
    const budget = budgets[name];
    const over = budget !== undefined && kilobytes > budget;
    broken ||= over;
    const words = budget === undefined ? "" : ` of ${budget}`;
    console.log(`${over ? "TOO HEAVY " : ""}${name.padEnd(14)} ${kilobytes.toFixed(1)}${words} kB gzip`);
  }
  if (broken) throw new Error("a page is heavier than its budget in frontend/build.mjs");
}

async function hashSources() {
  const hash = createHash("sha256");
  const files = [];
  async function walk(folder) {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) await walk(path);
      else files.push(path);
    }
  }
  await walk(source);
  for (const name of ["build.mjs", "package.json", "package-lock.json", "tsconfig.json"]) files.push(join(here, name));
  for (const path of files.map((p) => relative(here, p).replaceAll("\\", "/")).sort()) {
    hash.update(`${path}\0`).update(await readFile(join(here, path))).update("\0");
  }
  return hash.digest("hex");
}

// The new bundle is made beside the old one and takes its place in one step, so that a hub which
// is running keeps finding its files.
async function main() {
  const entries = await findEntries();
  if (watching) {
    await mkdir(target, { recursive: true });
    const watch = await context({ ...options(entries, target), entryNames: "[name]", plugins: [tell(entries)] });
    await watch.watch();
    return;
  }
  const fresh = `${target}.${process.pid}`;
  const old = `${fresh}.old`;
  const hash = await hashSources();
  try {
    const { metafile } = await build(options(entries, fresh));
    const manifest = manifestOf(metafile, entries, fresh);
    checkBudgets(manifest, await compress(fresh));
    await writeFile(join(fresh, "manifest.json"), JSON.stringify(manifest, null, 1));
    await writeFile(join(fresh, ".srchash"), hash);
    if (existsSync(target)) await rename(target, old);
    await rename(fresh, target);
  } finally {
    await rm(fresh, { recursive: true, force: true });
    await rm(old, { recursive: true, force: true });
  }
}

function tell(entries) {
  return {
    name: "manifest",
    setup(made) {
      made.onEnd(async ({ metafile }) => {
        if (!metafile) return;
        await writeFile(join(target, "manifest.json"), JSON.stringify(manifestOf(metafile, entries, target), null, 1));
        console.log(new Date().toLocaleTimeString(), "built");
      });
    },
  };
}

main().catch((error) => {
  console.error(String(error.message ?? error));
  process.exit(1);
});
