// Installs the peers in a folder: packages from npm, the model that all of them run, their pages. What is
// there already is left as it is; the pages are bundled each time, which takes a second.
//
//   node benches/peers/install.mjs FOLDER

import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

import { makeModel } from "./model.mjs";

const own = import.meta.dirname;
const folder = resolve(process.argv[2] ?? join(own, "../../target/peers"));
const [packages, data, site] = ["node", "data", "site"].map((name) => join(folder, name));

/** npm's packages, in the versions of package-lock.json. */
function installPackages() {
  const lock = "package-lock.json";
  const installed = join(packages, lock);
  const wanted = readFileSync(join(own, lock), "utf8");
  // npm writes this file last; without it the installation was cut off.
  const complete = existsSync(join(packages, "node_modules/.package-lock.json"));
  if (complete && existsSync(installed) && readFileSync(installed, "utf8") === wanted) return;
  mkdirSync(packages, { recursive: true });
  for (const file of ["package.json", lock]) copyFileSync(join(own, file), join(packages, file));
  // Their scripts are not run: none of the packages needs one on the platforms that have a binary of esbuild.
  const options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  execFileSync("npm", options, { cwd: packages, stdio: "inherit" });
}

/** One bundle and one document for each page of the peers. */
async function bundlePages() {
  mkdirSync(site, { recursive: true });
  const modules = join(packages, "node_modules");
  const esbuild = createRequire(join(packages, "package.json"))("esbuild");
  // TensorFlow.js names these modules of Node and calls none of them in a browser.
  const empty = join(site, "empty.cjs");
  writeFileSync(empty, "");
  const nodes = ["crypto", "fs", "os", "path", "perf_hooks", "string_decoder", "util", "worker_threads"];
  const pages = ["ort", "tfjs", "layer4"];
  await esbuild.build({
    entryPoints: pages.map((page) => join(own, "pages", `${page}.js`)),
    outdir: site,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    logLevel: "error",
    nodePaths: [modules],
    define: { global: "globalThis" },
    alias: Object.fromEntries(nodes.map((name) => [name, empty])),
    // The server has it at this address.
    external: ["/ort/*"],
  });
  for (const page of pages) {
    const html = `<!doctype html><meta charset="utf-8"><title>${page}</title><script type="module" src="${page}.js"></script>`;
    writeFileSync(join(site, `${page}.html`), html);
  }
}

installPackages();
makeModel(join(own, "../../www/models/resnet18-scenes.safetensors"), data);
await bundlePages();
