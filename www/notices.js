/** Notices of third parties: what the wasm builds and the JavaScript contain, by whom, and under which license. */

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const WASM = "wasm32-unknown-unknown";
/** All that any build has. */
const BUILDS = ["--package=biggan-web", "--package=biggan-pictures", "--no-default-features"];
const FEATURES = "biggan-web/sample,biggan-web/train,biggan-web/webgpu,biggan-pictures/web";

/** Packages of npm that are bundled, and the files they are in. */
const PACKAGES = {
  "@stablelib/sha256": "The JavaScript",
  "@stablelib/binary": "The JavaScript",
  "@stablelib/int": "The JavaScript",
  "@stablelib/wipe": "The JavaScript",
  "@zip.js/zip.js": "train-zip.js",
};

const LICENSE_FILE = /^(licen[cs]e|copying|copyright|notice|unlicense)/i;
const MIT = /Permission is hereby granted, free of charge/;

const cargo = (root, ...given) =>
  execFileSync("cargo", [...given, "--locked", "--offline"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    stdio: ["ignore", "pipe", "inherit"],
  });

/** The text of the notices of the sources in a folder. */
export function notices(root) {
  const texts = new Map();
  const list = cratesOf(root).map((crate) => {
    const holders = new Set();
    for (const text of licensesOf(crate)) {
      const { body, copyright } = split(text);
      for (const line of copyright) holders.add(line);
      const key = body.replace(/\s+/g, " ").trim();
      if (key === "") continue;
      if (!texts.has(key)) texts.set(key, { body, users: [] });
      texts.get(key).users.push(crate.name);
    }
    if (holders.size === 0) for (const author of crate.authors) holders.add(author.replace(/ <.*>/, ""));
    const about = [crate.license, crate.repository].filter(Boolean).join(", ");
    return [`${crate.name} ${crate.version}: ${about}`, ...[...holders].map((line) => `    ${line}`)].join("\n");
  });
  const packages = Object.entries(PACKAGES).map((one) => noticeOf(root, ...one));
  const licenses = [...texts.values()].map(({ body, users }) => `---- ${users.join(", ")}\n\n${body.trim()}\n`);
  return `${HEAD}\n\n${list.join("\n")}\n\n${packages.join("\n")}\n${licenses.join("\n")}`;
}

const HEAD = `Notices of third parties

data/avatars-1800.pack.gz is drawn by styles of DiceBear: CC0 1.0, https://www.dicebear.com
    Clay, Critters, Cutouts, Landscape, Moods, Pixel Art, Planets, Sprouts, Thumbs, Voxel Art, Voxel Bot by DiceBear;
    Open Peeps by Pablo Stanley

data/fashion-mnist-2000.pack.gz is of Fashion-MNIST: MIT, https://github.com/zalandoresearch/fashion-mnist
    Copyright (c) 2017 Zalando SE, https://tech.zalando.com

The files in wasm/ contain the standard library of Rust (MIT OR Apache-2.0, https://github.com/rust-lang/rust, The Rust
Project Contributors), and code of these crates. Their licenses follow, each once with the crates that carry it.`;

/** What a package of npm is, and its license. */
export function noticeOf(root, name, file) {
  const { version, license, homepage, text } = packageOf(join(root, "www"), name);
  return `${file} contains ${name} ${version}: ${license}, ${homepage}\n\n---- ${name}\n\n${text}\n`;
}

/** Libraries from npm whose code is in the page: the charts of training, the files of clips, hashes, and zips of pictures. */
const LIBRARIES = ["gifenc", "mediabunny", "uplot", ...Object.keys(PACKAGES)];

/** The text of the notices of the page's libraries, which are in node_modules of a folder. */
export function libraryNotices(folder) {
  const parts = LIBRARIES.map((name) => {
    const { version, license, source, text } = packageOf(folder, name);
    return `---- ${name} ${version}: ${license}\n\nIts source, unchanged: ${source}\n\n${text}\n`;
  });
  return `Notices of third parties\n\nThe page's scripts contain these libraries.\n\n${parts.join("\n")}`;
}

function packageOf(folder, name) {
  const home = join(folder, "node_modules", name);
  const { version, license, homepage, repository } = JSON.parse(readFileSync(join(home, "package.json"), "utf8"));
  const source = (repository.url ?? repository).replace(/^git\+|\.git$/g, "");
  const [file] = readdirSync(home).filter((name) => LICENSE_FILE.test(name));
  return { version, license, homepage, source, text: readFileSync(join(home, file), "utf8").trim() };
}

/** The crates of other people in the builds, sorted. */
function cratesOf(root) {
  const edges = ["--edges=normal,no-proc-macro", "--prefix=none", "--format={p}"];
  const tree = cargo(root, "tree", ...BUILDS, `--features=${FEATURES}`, `--target=${WASM}`, ...edges);
  const built = new Set(tree.split("\n").map((line) => line.split(" ", 2).join(" ")));
  const { packages } = JSON.parse(cargo(root, "metadata", "--format-version=1", `--filter-platform=${WASM}`));
  return packages
    .filter(({ name, version, source }) => source && built.has(`${name} v${version}`))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The texts that come with a crate; of several licenses to choose from, MIT's. */
function licensesOf({ manifest_path, license }) {
  const folder = dirname(manifest_path);
  const files = readdirSync(folder, { withFileTypes: true }).filter(
    (entry) => entry.isFile() && LICENSE_FILE.test(entry.name),
  );
  const texts = files.map(({ name }) => readFileSync(join(folder, name), "utf8"));
  const chosen = / OR |\//.test(license ?? "") ? texts.filter((text) => MIT.test(text)) : [];
  return chosen.length > 0 ? chosen : texts;
}

/** Who holds the copyright, and the rest. */
function split(text) {
  const lines = text.replaceAll("\r", "").split("\n");
  const isHolder = (line) => /^\s*(copyright\b.*\d{4}|\(c\) \d{4})/i.test(line);
  const isTitle = (line) => /^\W*(the )?mit license( \(mit\))?\W*$/i.test(line);
  const isMit = MIT.test(text);
  return {
    copyright: lines.filter(isHolder).map((line) => line.trim()),
    body: lines.filter((line) => !isMit || !(isHolder(line) || isTitle(line))).join("\n"),
  };
}
