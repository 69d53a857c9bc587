/** Breeding: children that visibly differ from their parent, and children of two parents. */

import assert from "node:assert/strict";
import test from "node:test";
import { chooseClass, openSite, pixels, settled, skip } from "./site.mjs";
import { assertSame } from "./pixels.mjs";

const LIMIT = { skip, timeout: 120_000 };

/** Parents of which the first changes least, and the second most, by a step of one size. */
const PARENTS = ["class=8&seed=8", "class=5&seed=2"];
/** Of a share: the children that are measured are half of those that are shown. */
const TOLERANCE = 0.25;

const mean = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
const distance = (a, b) => Math.sqrt(mean(Array.from(a, (value, at) => (value - b[at]) ** 2)));
const sizeOf = (page) => Number(/&size=([\d.]+)/.exec(page.url())[1]);
const differ = (page) => page.getByRole("slider", { name: "Children differ" });

async function show(page, address, link) {
  await page.goto("about:blank");
  await page.goto(`${address}#${link}`);
  return settled(page, link.includes("breeding") ? "Children" : "Samples");
}

test("children differ from their parent by as much as the slider says, whatever the parent", LIMIT, async (t) => {
  const { page, errors, address } = await openSite(t);
  const sizes = [];
  for (const parent of PARENTS) {
    await show(page, address, `${parent}&n=16`);
    const strangers = await pixels(page);
    const pairs = strangers.flatMap((one, at) => strangers.slice(at + 1).map((other) => distance(one, other)));
    await show(page, address, `${parent}&n=16&view=breeding`);
    for (const [share, words] of [[0.7, "much"], [0.5, "visibly"], [0.2, "a little"]]) {
      await differ(page).fill(String(share));
      await settled(page, "Children");
      assert.equal(await differ(page).getAttribute("aria-valuetext"), words);
      const children = await pixels(page, "Children");
      const found = mean(children.map((child) => distance(child, strangers[0]))) / mean(pairs);
      t.diagnostic(`${parent}: ${share} wanted, ${found.toFixed(3)} found`);
      assert.ok(Math.abs(found / share - 1) < TOLERANCE, `${found} of the distance between strangers, not ${share}`);
    }
    // the address follows a gesture
    await page.waitForTimeout(600);
    sizes.push(sizeOf(page));
  }
  assert.ok(sizes[0] > 1.5 * sizes[1], `sizes ${sizes}`);
  assert.deepEqual(errors, []);
});

test("a link has the size that was found, and shows the same children", LIMIT, async (t) => {
  const { page, address } = await openSite(t);
  await show(page, address, `${PARENTS[0]}&n=4&view=breeding`);
  await page.waitForFunction(() => location.hash.includes("size="));
  const [before, link] = [await pixels(page, "Children"), page.url()];
  await page.reload();
  await settled(page, "Children");
  assertSame(await pixels(page, "Children"), before);
  assert.equal(page.url(), link);
  // a link from before sizes were found: the slider says what its size does
  await show(page, address, `${PARENTS[0]}&n=4&view=breeding&size=0.02`);
  await page.waitForFunction(() => document.querySelector("#differ-value").textContent === "a little");
  assert.equal(sizeOf(page), 0.02);
});

test("another size is found for another parent and another truncation, within one entry of the history", LIMIT, async (t) => {
  const { page, address } = await openSite(t);
  await show(page, address, `${PARENTS[0]}&n=4&view=breeding`);
  await page.waitForFunction(() => location.hash.includes("size="));
  const [entries, first] = [await page.evaluate(() => history.length), page.url()];
  await page.getByRole("button", { name: "Breed from child 2" }).click();
  await page.waitForFunction(() => /&steps=2:.*&size=/.test(location.hash));
  const child = page.url();
  await page.getByRole("slider", { name: "Truncation" }).fill("0.5");
  await page.waitForFunction((child) => /&t=0.5&.*&size=/.test(location.hash) && location.href !== child, child);
  assert.notEqual(sizeOf(page), Number(/&size=([\d.]+)/.exec(child)[1]));
  assert.equal(await page.evaluate(() => history.length), entries + 2);
  await page.goBack();
  await page.goBack();
  await settled(page, "Children");
  assert.equal(page.url(), first);
});

const cross = (page) => page.getByRole("button", { name: "Cross with B" });
/** The texts of a list's pictures. */
const alts = (page, list) =>
  page.getByRole("list", { name: list, exact: true }).getByRole("img").evaluateAll((images) => images.map(({ alt }) => alt));

test("two parents have children that differ from both, and the lineage shows the cross", LIMIT, async (t) => {
  const { page, errors, address } = await openSite(t);
  await show(page, address, "class=8&seed=5&n=16");
  const mate = (await pixels(page))[1];
  await page.getByRole("button", { name: "Choose picture 2", exact: true }).click();
  await page.getByRole("button", { name: "Set as end B", exact: true }).click();
  await page.getByRole("tab", { name: "Breeding" }).click();
  await settled(page, "Children");
  await cross(page).click();
  await page.getByText("Both parents are the same picture").waitFor();
  assert.equal((await pixels(page, "Children")).length, 0);

  await page.evaluate(() => (location.hash = "#class=3&seed=7&n=16&view=breeding&to.class=8&to.seed=5&to.index=1"));
  await page.getByText("Choose the child").waitFor();
  await settled(page, "Children");
  assert.equal(await cross(page).getAttribute("aria-pressed"), "false");
  assert.equal(await page.getByRole("list", { name: "Other parent" }).isVisible(), false);
  await cross(page).click();
  await settled(page, "Children");
  assert.equal(await differ(page).isVisible(), false, "the slider is for random steps");
  const [parent, children] = [(await pixels(page, "Lineage"))[0], await pixels(page, "Children")];
  assertSame((await pixels(page, "Other parent"))[0], mate);
  const all = [parent, mate, ...children];
  const pairs = all.flatMap((one, at) => all.slice(at + 1).map((other) => distance(one, other)));
  assert.equal(children.length, 16);
  assert.ok(Math.min(...pairs) > 1, `two of the pictures are ${Math.min(...pairs)} of 255 apart`);
  const classes = new Set((await alts(page, "Children")).map((alt) => /of (.*), seed/.exec(alt)[1]));
  assert.deepEqual([...classes].sort(), ["Bag", "Dress", "Dress 50 %, Bag 50 %"]);
  await page.waitForFunction(() => location.hash.includes("cross=b"));
  const crossing = page.url();

  await page.getByRole("button", { name: "Other children" }).click();
  await settled(page, "Children");
  assert.notDeepEqual(await pixels(page, "Children"), children);
  await page.waitForFunction(() => location.hash.includes("litter=1"));
  await page.goBack();
  await page.waitForURL(crossing);
  await settled(page, "Children");
  assertSame(await pixels(page, "Children"), children);

  await page.getByRole("button", { name: "Breed from child 3", exact: true }).click();
  await page.waitForFunction(() => document.querySelectorAll("#lineage img").length === 2);
  await settled(page, "Children");
  assertSame((await pixels(page, "Lineage"))[1], children[2]);
  assert.equal(await page.locator("#lineage li").nth(1).locator("span").textContent(), "× Bag");
  await page.waitForFunction(() => /&steps=x[\d.]+:[01/]+\(8\/5\/1\)&.*&size=/.test(location.hash));
  const grandchildren = await pixels(page, "Children");
  await page.reload();
  await settled(page, "Children");
  assertSame(await pixels(page, "Children"), grandchildren);
  assertSame((await pixels(page, "Lineage"))[1], children[2]);

  // crossed again with the same mate
  await cross(page).click();
  await settled(page, "Children");
  const again = [children[2], mate, ...(await pixels(page, "Children"))].map((one) => one.join());
  assert.equal(new Set(again).size, 18);
  await page.getByRole("button", { name: "Go back to generation 0" }).click();
  await page.waitForFunction(() => document.querySelectorAll("#lineage img").length === 1);
  await settled(page, "Children");
  assertSame((await pixels(page, "Lineage"))[0], parent);
  await show(page, address, crossing.split("#")[1]);
  assertSame(await pixels(page, "Children"), children);
  assert.deepEqual(errors, []);
});

test("the class of a cross can be changed", LIMIT, async (t) => {
  const { page, address } = await openSite(t);
  await show(page, address, "class=3&seed=7&steps=x1:1/0/0/0(8/5)&n=4&view=breeding&size=0.3");
  assert.match((await alts(page, "Lineage"))[1], /of Bag,/);
  await chooseClass(page, "Ankle boot");
  await page.waitForFunction(() => document.querySelectorAll("#lineage img")[1].alt.includes("of Ankle boot,"));
  await page.waitForFunction(() => location.hash.includes("steps=x0:1/0/0/0(8/5)"));
});
