/** What other programs show next to a link to the page. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { openSite, skip } from "./site.mjs";

const LIMIT = { skip, timeout: 120_000 };
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
/** Programs leave out large cards, some from 300 kB on. */
const MOST_BYTES = 250_000;

const tags = (page) =>
  page.locator("meta[property^='og:'], meta[name^='twitter:']").evaluateAll((found) =>
    Object.fromEntries(found.map((tag) => [tag.getAttribute("property") ?? tag.name, tag.content])),
  );

test("the page says what a link to it shows, and has the picture", LIMIT, async (t) => {
  const { page, address } = await openSite(t);
  await page.goto(address);
  const found = await tags(page);
  for (const key of ["title", "description", "image", "image:alt"]) {
    assert.ok(found[`og:${key}`], `og:${key}`);
    assert.equal(found[`twitter:${key}`], found[`og:${key}`]);
  }
  assert.equal(found["twitter:card"], "summary_large_image");
  assert.equal(found["og:url"], undefined, "the build does not know where it will be");
  const response = await page.request.get(new URL(found["og:image"], address).href);
  const card = await response.body();
  assert.equal(response.headers()["content-type"], found["og:image:type"]);
  assert.deepEqual([card.readUInt32BE(16), card.readUInt32BE(20)], [1200, 630]);
  assert.deepEqual([found["og:image:width"], found["og:image:height"]], ["1200", "630"]);
  assert.ok(card.length < MOST_BYTES, `${card.length} bytes`);
});

test("a build for an address has full addresses, and links to where it comes from", { ...LIMIT, skip: false }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), "biggan-site-"));
  t.after(() => rmSync(folder, { recursive: true }));
  execFileSync(here("../node_modules/.bin/vite"), ["build", "--outDir", folder, "--logLevel", "error"], {
    cwd: here(".."),
    env: { ...process.env, BIGGAN_SITE: "https://example.org/gan", BIGGAN_SOURCE: "https://example.org/source" },
  });
  const html = readFileSync(join(folder, "index.html"), "utf8");
  for (const content of ["https://example.org/gan/", "https://example.org/gan/card.png"]) {
    assert.ok(html.includes(`content="${content}"`), content);
  }
  assert.ok(!html.includes('content="./card.png"'));
  assert.match(html, /<a href="https:\/\/example.org\/source">Source<\/a>/);
  assert.ok(!html.includes("Package</a>"), "no link without an address");
});
