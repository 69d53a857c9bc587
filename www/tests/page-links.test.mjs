/** A link and a saved picture show the same pictures elsewhere. */

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { MODEL } from "./native.mjs";
import { draw, drawn, dropPaths, openSite, pixels, settled, skip } from "./site.mjs";
import { assertSame } from "./pixels.mjs";

const LIMIT = { skip, timeout: 120_000 };

/** States of every kind, with the list that shows them. */
const LINKS = [
  ["class=3:60,8:40&seed=12345678901234567890&t=0.7&n=5&z=0,0.5,-0.75", "Samples"],
  ["class=9&seed=4&index=2&t=off&n=7&view=between&to.class=1&to.seed=9&to.z=1", "Interpolation"],
  ["class=2&seed=4&index=3&steps=5:0.3,70:0.2&t=1&n=3&view=truncations", "Truncations"],
  ["class=5&seed=4&steps=5:0.3,70:0.2,1:0.5&t=1&n=4&view=breeding&size=0.4&litter=2", "Children"],
  ["class=5&seed=4&steps=5:0.3,x0.5:0/1/1/0.5(8/9/2/0,0.5/x1:1(3/7),6:0.2)&t=1&n=4&view=breeding&to.class=3&to.seed=2&cross=b", "Children"],
];

test("a link shows the same pictures in another browser", LIMIT, async (t) => {
  const here = await openSite(t);
  const there = await openSite(t);
  for (const [link, list] of LINKS) {
    // as links come: with a page of their own
    await here.page.goto("about:blank");
    await here.page.goto(`${here.address}#${link}`);
    await settled(here.page, list);
    const made = here.page.url().replace(here.address, "");
    assert.ok(made.includes(link.split("&")[0]), made);
    await there.page.goto("about:blank");
    await there.page.goto(there.address + made);
    await settled(there.page, list);
    assert.equal(there.page.url().replace(there.address, ""), made);
    assertSame(await pixels(there.page, list), await pixels(here.page, list));
    assertSame(await pixels(there.page, "Ends"), await pixels(here.page, "Ends"));
  }
  assert.deepEqual([...here.errors, ...there.errors], []);
});

test("what the visitor does is in the address, and back and forward undo and redo it", LIMIT, async (t) => {
  const { page, address } = await openSite(t);
  await page.goto(address);
  await draw(page, { className: "Dress", truncation: 1, seed: 7, count: 4 });
  await page.waitForFunction(() => location.hash.includes("class=3&seed=7&t=1&n=4"));
  await page.getByRole("slider", { name: "Truncation" }).fill("0.5");
  await page.waitForFunction(() => location.hash.includes("t=0.5"));
  await page.getByRole("tab", { name: "Breeding" }).click();
  await page.waitForFunction(() => location.hash.includes("view=breeding"));
  const child = page.getByRole("button", { name: "Breed from child 2" });
  await settled(page, "Children");
  await child.click();
  await page.waitForFunction(() => /steps=2:0\.\d+&/.test(location.hash));

  await page.goBack();
  await page.waitForFunction(() => document.querySelectorAll("#lineage li").length === 1);
  await page.goBack();
  await drawn(page, "Dress, seed 7, truncation 0.5", 4);
  await page.goBack();
  await drawn(page, "Dress, seed 7, truncation 1", 4);
  await page.goForward();
  await drawn(page, "Dress, seed 7, truncation 0.5", 4);
  // a link that is typed over the address
  await page.evaluate(() => (location.hash = "#class=8&seed=3&n=2"));
  await drawn(page, "Bag, seed 3, truncation 1", 2);
  await page.goBack();
  await drawn(page, "Dress, seed 7, truncation 0.5", 4);
  await page.reload();
  await drawn(page, "Dress, seed 7, truncation 0.5", 4);
});

test("New pictures are drawn after a link, a reload and Back", LIMIT, async (t) => {
  const { page, address } = await openSite(t);
  await page.goto(`${address}#class=3&seed=7&n=4`);
  await drawn(page, "Dress, seed 7, truncation 1", 4);
  const sample = page.getByRole("button", { name: "New pictures" });
  const isAnother = (seed) =>
    page.waitForFunction((seed) => !document.querySelector("#samples img").alt.includes(seed), seed);
  for (const arrive of [() => page.reload(), () => page.goBack()]) {
    await sample.click();
    await isAnother(", seed 7,");
    await settled(page, "Samples");
    await page.waitForFunction(() => !location.hash.includes("seed=7&"));
    const seed = /, (seed \d+),/.exec(await page.locator("#samples img").first().getAttribute("alt"))[1];
    await arrive();
    await settled(page, "Samples");
    await sample.click();
    await isAnother(`, ${seed},`);
    await page.goto("about:blank");
    await page.goto(`${address}#class=3&seed=7&n=4`);
    await drawn(page, "Dress, seed 7, truncation 1", 4);
  }
});

test("Share copies the link, or hands it to the system", LIMIT, async (t) => {
  const { page, address } = await openSite(t, { permissions: ["clipboard-read", "clipboard-write"] });
  await page.goto(address);
  await draw(page, { className: "Dress", truncation: 1, seed: 7, count: 4 });
  const share = page.getByRole("button", { name: "Share" });
  await page.evaluate(() => delete Navigator.prototype.share);
  await share.click();
  await page.getByText("Link copied.").waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(copied, page.url());
  assert.match(copied, /#class=3&seed=7&t=1&n=4&m=[0-9a-f]{16}$/);

  await page.evaluate(() => {
    Navigator.prototype.share = async (data) => (window.shared = data);
  });
  await share.click();
  await page.getByText("Shared.").waitFor();
  assert.equal((await page.evaluate(() => window.shared)).url, copied);
});

/** Takes what is shared; a file as the bytes of its name, and so that a download of it can be compared. */
const takeShares = (page) =>
  page.evaluate(() => {
    Navigator.prototype.canShare = ({ files }) => files.every(({ type }) => type === "image/png");
    Navigator.prototype.share = async ({ url, files = [] }) => {
      const made = files.map(async (file) => [file.name, file.type, [...new Uint8Array(await file.arrayBuffer())]]);
      window.shared = { url, files: await Promise.all(made) };
    };
  });

test("Share hands over the pictures of the view, or the selected one, where the system takes files", LIMIT, async (t) => {
  const { page, errors, address } = await openSite(t);
  await page.goto(address);
  await draw(page, { className: "Dress", truncation: 1, seed: 7, count: 4 });
  await page.getByRole("button", { name: "Choose picture 3" }).click();
  await page.waitForFunction(() => location.hash.includes("index=2"));
  await settled(page, "Samples");
  const selected = (await pixels(page))[2];
  await takeShares(page);
  for (const [isSingle, name] of [
    [false, "biggan-samples-dress-seed-7-truncation-1.png"],
    [true, "biggan-dress-seed-7-sample-3-truncation-1.png"],
  ]) {
    await page.getByRole("checkbox", { name: "Selected one only" }).setChecked(isSingle);
    await page.evaluate(() => (window.shared = undefined));
    await page.getByRole("button", { name: "Share" }).click();
    await page.waitForFunction(() => window.shared);
    const { url, files } = await page.evaluate(() => window.shared);
    assert.equal(url, page.url());
    assert.deepEqual(files[0].slice(0, 2), [name, "image/png"]);
    const file = Buffer.from(files[0][2]);
    assert.deepEqual(await save(page), file, "the same as the file that is saved");
    assert.ok(file.includes(`biggan-state\0${new URL(url).hash.slice(1)}`), "the state is inside");
    const [width, height] = [file.readUInt32BE(16), file.readUInt32BE(20)];
    assert.ok(width >= 1024 && height >= 1024, `${width} x ${height}`);
  }
  // each pixel of the selected picture is a square
  const side = Math.sqrt(selected.length / 4);
  const bytes = [...(await save(page))];
  const middles = await page.evaluate(
    async ([bytes, side]) => {
      const image = await createImageBitmap(new Blob([Uint8Array.from(bytes)], { type: "image/png" }));
      const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
      context.drawImage(image, 0, 0);
      const step = image.width / side;
      const at = (place) => Math.floor((place + 0.5) * step);
      const places = Array.from({ length: side * side }, (_, place) => [at(place % side), at(Math.floor(place / side))]);
      return places.flatMap(([x, y]) => [...context.getImageData(x, y, 1, 1).data]);
    },
    [bytes, side],
  );
  assert.deepEqual(middles, [...selected]);
  assert.deepEqual(errors, []);
});

const save = async (page) => {
  const downloading = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save PNG" }).click();
  return readFileSync(await (await downloading).path());
};
const png = (buffer, name = "picture.png") => ({ name, mimeType: "image/png", buffer });

/** Drops files on the page as a visitor does. */
async function drop(page, files) {
  const transfer = await page.evaluateHandle((files) => {
    const transfer = new DataTransfer();
    for (const { name, type, base64 } of files) {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      transfer.items.add(new File([bytes], name, { type }));
    }
    return transfer;
  }, files.map(({ name, mimeType, buffer }) => ({ name, type: mimeType, base64: buffer.toString("base64") })));
  await page.dispatchEvent("body", "dragover", { dataTransfer: transfer });
  assert.equal(await page.getByText("Drop a saved picture or a model").isVisible(), true);
  await page.dispatchEvent("body", "drop", { dataTransfer: transfer });
}

test("a saved picture restores its state when it is dropped or picked", LIMIT, async (t) => {
  const { page, errors, address } = await openSite(t);
  for (const [link, list] of LINKS) {
    await page.goto("about:blank");
    await page.goto(`${address}#${link}`);
    await settled(page, list);
    const [before, url] = [await pixels(page, list), page.url()];
    const file = png(await save(page));
    await page.goto("about:blank");
    await page.goto(`${address}#class=0`);
    await settled(page, "Samples");
    if (list === "Interpolation") await page.getByLabel("Model or saved picture").setInputFiles(file);
    else await drop(page, [file]);
    // the address and the list change together: before, the list may be that of the state it had
    await page.waitForURL(url);
    await settled(page, list);
    assertSame(await pixels(page, list), before);
    // the state before is an entry of the history
    await page.goBack();
    await drawn(page, "T-shirt/top, seed 1, truncation 1", 16);
  }
  assert.deepEqual(errors, []);
});

test("a single picture carries its own state", LIMIT, async (t) => {
  // without the page's policy, which lets it show pictures of its own, but not fetch them
  const { page, address } = await openSite(t, { bypassCSP: true });
  await page.goto(address);
  await draw(page, { className: "Dress", truncation: 1, seed: 7, count: 4 });
  const all = await pixels(page);
  const third = page.locator("#samples img").nth(2);
  const bytes = await third.evaluate(async ({ src }) => [
    ...new Uint8Array(await (await fetch(src)).arrayBuffer()),
  ]);
  await drop(page, [png(Buffer.from(bytes))]);
  await page.waitForFunction(() => location.hash.includes("index=2"));
  await settled(page, "Samples");
  const button = page.getByRole("button", { name: "Choose picture 3" });
  assert.equal(await button.getAttribute("aria-pressed"), "true");
  assertSame(await pixels(page), all);
});

test("broken links are told of and leave a page that works", LIMIT, async (t) => {
  const { page, errors, address } = await openSite(t);
  const notices = page.locator("#notices");
  for (const [link, says] of [
    ["class=cat", /In the link, class=cat:/],
    ["class=10", /Class 10 is asked for; the model has 10/],
    ["t=9", /Truncation 9 is out of the model's range, 0.001 to 8/],
    ["z=0,0,0,0,1", /5 chunks of z are changed; the model has 4/],
    ["%E0%A4%A", /which is unknown/],
    ["model=ftp://example.org/x", /over https/],
    ["class=1&utm_source=mail", /"utm_source", which is unknown/],
    ["steps=x0:0/0/0/0/1(1/1)", /5 chunks of z are crossed; the model has 4/],
    ["steps=x0:0(99/1)", /Class 99 is asked for; the model has 10/],
    ["class=1&steps=x0.5:0/1(8/9", /In the link, steps=x0.5:0\/1\(8\/9: a bracket is missing/],
    ["class=1&n=100", /100 pictures are asked for; 64 at most/],
    ["class=1&m=0000000000000000", /another model/],
  ]) {
    await page.goto("about:blank");
    await page.goto(`${address}#${link}`);
    await settled(page, "Samples");
    assert.match(await notices.textContent(), says);
    // the other parts hold
    if (link.startsWith("class=1&")) assert.match(await page.locator("#samples img").first().getAttribute("alt"), /^Trouser,/);
    await notices.getByRole("button", { name: "Dismiss" }).first().click();
    await draw(page, { className: "Bag", truncation: 1, seed: 3, count: 2 });
  }
  // on a page that is open
  await page.evaluate(() => (location.hash = "#class=2&n=3&seed=-5"));
  await page.getByText(/In the link, seed=-5:.*nearest state/).waitFor();
  await drawn(page, "Pullover, seed 1, truncation 1", 3);
  await draw(page, { className: "Coat", truncation: 1, seed: 3, count: 2 });
  assert.deepEqual(errors, []);
});

test("what is said of a drop is in sight", LIMIT, async (t) => {
  const { page, address } = await openSite(t, { viewport: { width: 1280, height: 700 } });
  await page.goto(address);
  await settled(page, "Samples");
  const folder = mkdtempSync(join(tmpdir(), "biggan-drop-"));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [name, content, says] of [
    ["song.mp3", "la", "The file song.mp3 cannot be opened"],
    ["cut.safetensors", readFileSync(MODEL).subarray(0, 4000), "not a whole safetensors"],
  ]) {
    writeFileSync(join(folder, name), content);
    await page.evaluate(() => scrollTo(0, 0));
    await dropPaths(page, [join(folder, name)]);
    const alert = page.getByRole("alert").filter({ hasText: new RegExp(says, "i") });
    await alert.waitFor();
    const { top, bottom } = await alert.evaluate((line) => line.getBoundingClientRect().toJSON());
    assert.ok(top >= 0 && bottom <= 700, `${name}: from ${top} to ${bottom}`);
  }
});

test("broken pictures are told of and leave the page as it is", LIMIT, async (t) => {
  const { page, errors, address } = await openSite(t);
  await page.goto(address);
  await draw(page, { className: "Bag", truncation: 1, seed: 3, count: 2 });
  const good = await save(page);
  const state = good.indexOf("seed=3");
  const damaged = Buffer.from(good);
  damaged[state] ^= 1;
  const alert = page.getByRole("alert");
  for (const [buffer, says] of [
    [good.subarray(0, 60), /truncated/],
    [Buffer.from("not a picture"), /is not a PNG/],
    [damaged, /tEXt is wrong/],
    [readFileSync(new URL("../../models/fashion32.png", import.meta.url)), /has no saved state/],
  ]) {
    await drop(page, [png(buffer, "mine.png")]);
    await alert.filter({ hasText: says }).waitFor();
    assert.match(await alert.textContent(), /^The file mine\.png/);
  }
  await drop(page, [{ name: "song.mp3", mimeType: "audio/mpeg", buffer: Buffer.from("la") }]);
  await alert.filter({ hasText: "The file song.mp3 cannot be opened" }).waitFor();
  await drop(page, [png(good)]);
  await page.waitForFunction(() => document.querySelector("#open-problem").hidden);
  await draw(page, { className: "Bag", truncation: 1, seed: 4, count: 2 });
  assert.deepEqual(errors, []);
});
