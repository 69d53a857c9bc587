/** Other models on the page: by address, by file, of other programs; and what the page says of them. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { shards } from "./lib-shards.mjs";
import { MODEL } from "./native.mjs";
import { withClasses } from "./page-models.mjs";
import { draw, drawn, openSite, OWN, pixels, settled, skip } from "./site.mjs";
import { assertSame } from "./pixels.mjs";

const LIMIT = { skip, timeout: 180_000 };
const FRUIT = ["Apple", "Pear", "Plum"];
const ELSEWHERE = "https://models.example";
const MODELS = JSON.parse(readFileSync(new URL("../../models/index.json", import.meta.url), "utf8"));

/** Answers for another origin, which allows this page to read. */
const serve = (page, files) =>
  page.context().route(`${ELSEWHERE}/**`, (route) => {
    const name = new URL(route.request().url()).pathname.slice(1);
    const headers = { "Access-Control-Allow-Origin": "*" };
    const body = files[name];
    return route.fulfill(body ? { headers, body } : { headers, status: 404, body: "" });
  });

const fact = (page, term) =>
  page.locator("#card-facts dt").filter({ hasText: term }).locator("+ dd").textContent();

test("the page says what runs, how fast, in how much memory, and what the model is", LIMIT, async (t) => {
  const { page, address } = await openSite(t, { own: true });
  await page.goto(`${address}#class=0`);
  await settled(page, "Samples");
  assert.match(await page.getByRole("status").textContent(), /^Runs on the CPU \(WebAssembly with SIMD\): this browser/);
  // 16 samples, and a chip of each class but the chosen one, whose first sample is among them
  assert.match(await page.locator("#timing").textContent(), /^27 pictures in [\d.]+ ms, [\d.]+ ms each$/);
  assert.match(await page.locator("#memory").textContent(), /^Memory: model 4\.5 MB, [\d.]+ MB in the program$/);
  assert.equal(await fact(page, "File"), "avatars64.safetensors, 4.46 MB");
  assert.equal(await fact(page, "Data set"), "avatars, 14,400 images");
  assert.equal(await fact(page, "Classes"), String(OWN.classes));
  assert.equal(await fact(page, "Resolution"), `${OWN.resolution}×${OWN.resolution}`);
  assert.match(await fact(page, "Origin"), /^recipe avatars64, 500,000 images seen/);
  // its file has no scores
  const scores = page.getByRole("table", { name: "Scores" });
  assert.equal(await scores.isVisible(), false);
  await page.getByRole("button", { name: "Load Fashion" }).click();
  await page.getByRole("button", { name: "Fashion is in use" }).waitFor();
  await settled(page, "Samples");
  assert.equal(await fact(page, "File"), "fashion32.safetensors, 0.52 MB");
  assert.equal(await fact(page, "Parameters"), "235,811");
  assert.equal(await scores.getByRole("row").count(), 6);
  assert.match(await scores.getByRole("row").first().textContent(), /^FD-fashion-cnn.*truncation 1.*13\.21$/);
});

test("a model is loaded by its address, and the link names it", LIMIT, async (t) => {
  const { page, errors, address } = await openSite(t);
  await serve(page, { "fruit.safetensors": withClasses(FRUIT) });
  await page.goto(address);
  await draw(page, { className: "Dress", truncation: 1, seed: 7, count: 4 });
  await page.getByLabel("Model address").fill(`${ELSEWHERE}/fruit.safetensors`);
  await page.getByRole("button", { name: "Load", exact: true }).click();
  // class 3 is none of the new model's: the nearest state is shown, and said so
  await drawn(page, "Apple, seed 7, truncation 1", 4);
  await page.locator("#notices").getByText("Class 3 is asked for; the model has 3").waitFor();
  assert.equal(await fact(page, "Classes"), "3");
  assert.equal(await fact(page, "File"), "fruit.safetensors, 0.51 MB");
  await draw(page, { className: "Plum", truncation: 0.5, seed: 7, count: 4 });
  await page.waitForFunction(() => location.hash.includes("class=2"));
  assert.match(page.url(), /&model=https:\/\/models\.example\/fruit\.safetensors$/);
  const plums = await pixels(page);

  await page.goto("about:blank");
  await page.goBack();
  await drawn(page, "Plum, seed 7, truncation 0.5", 4);
  assertSame(await pixels(page), plums);
  await page.getByRole("button", { name: `Load ${OWN.name}` }).click();
  await drawn(page, "Pullover, seed 7, truncation 0.5", 4);
  assert.equal(await page.getByRole("button", { name: `${OWN.name} is in use` }).isVisible(), true);
  assert.deepEqual(errors, []);
});

test("a model is loaded by its name on the hub, and a link with it asks first", LIMIT, async (t) => {
  const { page, errors, address } = await openSite(t);
  const commit = "0123456789abcdef0123456789abcdef01234567";
  await page.context().route("https://huggingface.co/**", (route) => {
    const listing = JSON.stringify({ sha: commit, siblings: [{ rfilename: "model.safetensors" }] });
    const isApi = route.request().url().includes("/api/models/me/fruit/revision/main");
    const headers = { "Access-Control-Allow-Origin": "*" };
    return route.fulfill({ headers, body: isApi ? listing : withClasses(FRUIT) });
  });
  await page.goto(address);
  await draw(page, { className: "Trouser", truncation: 1, seed: 7, count: 4 });
  await page.getByLabel("Model address").fill("hf:me/fruit");
  await page.getByRole("button", { name: "Load", exact: true }).click();
  await drawn(page, "Pear, seed 7, truncation 1", 4);
  await page.waitForFunction(() => location.hash.endsWith("&model=hf:me/fruit"));
  const link = page.url();
  await page.goto("about:blank");
  await page.goto(link);
  await page.locator("#notices").getByText("a model from another server: hf:me/fruit").waitFor();
  await page.getByRole("button", { name: "Load it" }).click();
  await drawn(page, "Pear, seed 7, truncation 1", 4);
  assert.deepEqual(errors, []);
});

test("a model in parts is loaded by the address of its index", LIMIT, async (t) => {
  const { page, errors, address } = await openSite(t);
  const files = shards(readFileSync(MODEL), "parts", 3);
  await serve(page, files);
  await page.goto(address);
  await draw(page, { className: "Dress", truncation: 1, seed: 7, count: 4 });
  const whole = await pixels(page);
  const index = Object.keys(files).find((name) => name.endsWith(".index.json"));
  await page.getByLabel("Model address").fill(`${ELSEWHERE}/${index}`);
  await page.getByRole("button", { name: "Load", exact: true }).click();
  await page.waitForFunction(() => location.hash.includes("index.json"));
  await drawn(page, "Dress, seed 7, truncation 1", 4);
  assertSame(await pixels(page), whole);
  assert.deepEqual(errors, []);
});

const fixture = (folder, name) => ({
  name,
  mimeType: "application/octet-stream",
  buffer: readFileSync(fileURLToPath(new URL(`../../tests/fixtures/${folder}/${name}`, import.meta.url))),
});

test("a model is loaded from a file, and its links say what is missing elsewhere", LIMIT, async (t) => {
  const { page, errors, address } = await openSite(t);
  await page.goto(`${address}#class=0`);
  await settled(page, "Samples");
  const buffer = withClasses(FRUIT);
  const file = { name: "fruit.safetensors", mimeType: "application/octet-stream", buffer };
  await page.getByLabel("Model or saved picture").setInputFiles(file);
  await drawn(page, "Apple, seed 1, truncation 1", 16);
  const link = page.url();
  assert.ok(!link.includes("model="));
  await page.goto("about:blank");
  await page.goto(link);
  await drawn(page, "T-shirt/top, seed 1, truncation 1", 16);
  await page.locator("#notices").getByText("made with another model").waitFor();
  await page.getByLabel("Model or saved picture").setInputFiles(file);
  await drawn(page, "Apple, seed 1, truncation 1", 16);
  assert.deepEqual(errors, []);
});

const FOREIGN = [
  { folder: "hf-deep-128", files: ["pytorch_model.bin", "config.json"], side: "128×128", says: /^weights of pytorch-pretrained-BigGAN$/ },
  { folder: "aj-32", files: ["G.pth", "config.json"], side: "32×32", says: /^weights of BigGAN-PyTorch$/ },
];

for (const { folder, files, side, says } of FOREIGN) {
  test(`weights of another program are opened with their config: ${folder}`, LIMIT, async (t) => {
    const { page, errors, address } = await openSite(t);
    await page.goto(`${address}#class=0`);
    await settled(page, "Samples");
    await page.getByRole("spinbutton", { name: "Count" }).fill("2");
    await settled(page, "Samples");
    const input = page.getByLabel("Model or saved picture");
    await input.setInputFiles(files.map((name) => fixture(folder, name)));
    await page.locator("#card-facts dd").filter({ hasText: says }).waitFor({ timeout: 60_000 });
    await settled(page, "Samples", 120_000);
    assert.equal(await fact(page, "Resolution"), side);
    const all = await pixels(page);
    assert.equal(all.length, 2);
    assert.notDeepEqual(all[0], all[1]);
    assert.deepEqual(errors, []);
  });
}

test("an offered model says its size, source and licence before anything is fetched", LIMIT, async (t) => {
  const { page, errors, address } = await openSite(t);
  const offer = MODELS.find(({ file }) => file.endsWith(".bin"));
  const { host } = new URL(offer.file);
  const fetched = [];
  await page.context().route(`https://${host}/**`, (route) => {
    const name = new URL(route.request().url()).pathname.split("/").at(-1);
    fetched.push(name);
    const headers = { "Access-Control-Allow-Origin": "*", ETag: '"1"' };
    return route.fulfill({ headers, body: fixture("hf-deep-128", name).buffer });
  });
  await page.goto(address);
  await settled(page, "Samples");
  const row = page.getByRole("list", { name: "Models" }).getByRole("listitem").filter({ hasText: offer.name });
  const says = await row.textContent();
  for (const part of [/1,000 classes/, /128×128/, /211 MB from huggingface\.co/, /licence: none stated/]) assert.match(says, part);
  assert.deepEqual(fetched, []);
  await page.getByRole("spinbutton", { name: "Seed" }).fill("2");
  await page.getByRole("button", { name: `Load ${offer.name}` }).click();
  await page.getByRole("button", { name: `${offer.name} is in use` }).waitFor({ timeout: 60_000 });
  await settled(page, "Samples", 120_000);
  assert.equal(await fact(page, "Origin"), "weights of pytorch-pretrained-BigGAN");
  assert.deepEqual(fetched, ["config.json", "pytorch_model.bin"]);
  assert.ok(page.url().endsWith(`&model=${offer.file}`), page.url());
  // this browser keeps it, so its link needs no question
  await page.reload();
  await page.getByRole("button", { name: `${offer.name} is in use` }).waitFor({ timeout: 60_000 });
  await page.getByRole("button", { name: `Load ${OWN.name}` }).click();
  await page.locator("#class-chips li").first().waitFor();
  assert.deepEqual(errors, []);
});

test("what cannot be loaded is told of beside the field, and the model before goes on", LIMIT, async (t) => {
  const { page, address } = await openSite(t);
  await serve(page, {});
  await page.goto(address);
  await settled(page, "Samples");
  const alert = page.getByRole("alert");
  const field = page.getByLabel("Model address");
  const load = page.getByRole("button", { name: "Load", exact: true });
  for (const [wanted, says] of [
    [`${ELSEWHERE}/none.safetensors`, /404/],
    ["http://models.example/x.safetensors", /over https/],
    ["ftp://x", /over https/],
    ["hf:nobody", /hf:OWNER\/REPOSITORY/],
  ]) {
    await field.fill(wanted);
    await load.click();
    await alert.filter({ hasText: says }).waitFor();
    assert.equal(await page.locator(".card").getByRole("alert").count(), 1);
  }
  const input = page.getByLabel("Model or saved picture");
  const bad = (name, buffer) => ({ name, mimeType: "application/octet-stream", buffer });
  for (const [files, says] of [
    [[bad("cut.safetensors", readFileSync(MODEL).subarray(0, 4000))], /not a whole safetensors/i],
    [[bad("model.safetensors.index.json", Buffer.from("{}"))], /index of parts/],
    [[bad("weights.bin", Buffer.from("junk"))], /./],
    [[bad("notes.txt", Buffer.from("x"))], /The file notes\.txt cannot be opened/],
  ]) {
    await input.setInputFiles(files);
    await alert.filter({ hasText: says }).waitFor();
    t.diagnostic(await alert.textContent());
  }
  await draw(page, { className: "Bag", truncation: 1, seed: 9, count: 3 });
  assert.match(await page.getByRole("status").textContent(), /^Runs on/);
});

test("a link to a model that is gone shows the page's own", LIMIT, async (t) => {
  const { page, address } = await openSite(t);
  await serve(page, {});
  await page.goto(`${address}#class=3&seed=7&n=4&model=${ELSEWHERE}/gone.safetensors`);
  await page.getByRole("button", { name: "Load it" }).click();
  await drawn(page, "Dress, seed 7, truncation 1", 4);
  assert.match(await page.locator("#notices").textContent(), /could not be loaded.*404.*The page's own/);
});

test("a link to a model of another server asks first, with its address and size", LIMIT, async (t) => {
  const { page, errors, address } = await openSite(t);
  const fruit = withClasses(FRUIT);
  const fetched = [];
  await page.context().route(`${ELSEWHERE}/**`, (route) => {
    const [method, allow] = [route.request().method(), { "Access-Control-Allow-Origin": "*" }];
    fetched.push(method);
    const headers = { ...allow, ETag: '"1"', "Content-Length": String(fruit.length) };
    return route.fulfill({ headers, body: method === "HEAD" ? "" : fruit });
  });
  const link = `${address}#class=1&seed=7&n=4&model=${ELSEWHERE}/fruit.safetensors`;
  const question = page.locator(".notice").getByText(`another server: ${ELSEWHERE}/fruit.safetensors (0.5 MB)`);
  await page.goto(link);
  await question.waitFor();
  assert.match(await page.getByRole("status").textContent(), /^Waiting: a question/);
  await page.getByRole("button", { name: "Use the page’s own" }).click();
  await drawn(page, "Trouser, seed 7, truncation 1", 4);
  assert.deepEqual(fetched.filter((method) => method === "GET"), []);

  // on a page that is open
  await page.evaluate((hash) => (location.hash = hash), new URL(link).hash);
  await page.getByRole("button", { name: "Use the page’s own" }).click();
  await page.waitForFunction(() => !location.hash.includes("model="));
  await drawn(page, "Trouser, seed 7, truncation 1", 4);
  await page.evaluate((hash) => (location.hash = hash), new URL(link).hash);
  await question.waitFor();
  // another link takes its place
  await page.evaluate(() => (location.hash = "#class=2&seed=3&n=2"));
  await drawn(page, "Pullover, seed 3, truncation 1", 2);
  assert.equal(await question.count(), 0);
  await page.goBack();
  await page.getByRole("button", { name: "Load it" }).click();
  await drawn(page, "Pear, seed 7, truncation 1", 4);
  assert.equal(fetched.filter((method) => method === "GET").length, 1);
  // what this browser has is not asked for again
  await page.reload();
  await drawn(page, "Pear, seed 7, truncation 1", 4);
  assert.equal(await question.count(), 0);
  assert.deepEqual(errors, []);
});
