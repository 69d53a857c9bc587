/** Images to train on: those that ship, and folders of pictures, good and bad. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test from "node:test";
import { skip as noPackage } from "./lib-host.mjs";
import { trainPage } from "./lib-train-page.mjs";
import { NATIVE_TRAIN } from "./native.mjs";
import { picture, png } from "./png-files.mjs";
import { open } from "./safetensors.mjs";

const LIMIT = { skip: noPackage, timeout: 120_000 };

/** Reads pictures in the page as a person's folder; returns the data with plain arrays, and the findings. */
async function read(page, files, resolution = 16) {
  const sent = Object.entries(files).map(([path, bytes]) => [path, [...bytes]]);
  return page.evaluate(
    async ([sent, resolution]) => {
      const files = sent.map(([path, bytes]) => ({ path, file: new Blob([new Uint8Array(bytes)]) }));
      const progress = [];
      const onProgress = (done, total) => progress.push([done, total]);
      const { data, findings } = await biggan.readImages({ files, resolution, onProgress });
      const plain = data && { ...data, labels: [...data.labels], pixels: [...data.pixels] };
      return { data: plain, findings, progress };
    },
    [sent, resolution],
  );
}

const kinds = ({ findings }) => findings.map(({ severity, kind }) => `${severity}: ${kind}`);

/** So many pictures of a class. */
const pictures = (folder, count, side = 20) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, i) => [
      `${folder}/${i}.png`,
      picture(side, side + 3, i + folder.length * 100),
    ]),
  );

test("2,000 images ship, at 16 and 32 pixels, and classes can be chosen", LIMIT, async (t) => {
  const { page, errors } = await trainPage(t);
  const found = await page.evaluate(async () => {
    const of = async (request) => {
      const { data, findings } = await biggan.readShipped(request);
      const counts = data.classNames.map((_, c) => data.labels.filter((l) => l === c).length);
      const mean = data.pixels.reduce((sum, value) => sum + value, 0) / data.pixels.length;
      const grey = data.pixels.every((value, i) => value === data.pixels[i - (i % 3)]);
      return { ...data, labels: data.labels.length, pixels: data.pixels.length, counts, mean, grey, findings };
    };
    return {
      small: await of({ resolution: 16 }),
      large: await of({ resolution: 32 }),
      two: await of({ resolution: 16, classes: [9, 1] }),
      again: await of({ resolution: 16, classes: [1, 9] }),
      wrong: await biggan.failure(biggan.readShipped({ resolution: 64 })),
      eleventh: await biggan.failure(biggan.readShipped({ resolution: 16, classes: [10] })),
    };
  });
  const { small, large, two } = found;
  assert.deepEqual([small.labels, small.pixels], [2000, 2000 * 16 * 16 * 3]);
  assert.deepEqual([large.labels, large.pixels], [2000, 2000 * 32 * 32 * 3]);
  assert.deepEqual(small.counts, Array(10).fill(200));
  assert.ok(small.grey && large.grey);
  // the mean of 28x28 Fashion-MNIST is 73; padded to 32x32 it is 56
  for (const { mean } of [small, large]) assert.ok(mean > 50 && mean < 62, `mean ${mean}`);
  assert.deepEqual([two.classNames, two.counts], [["Trouser", "Ankle boot"], [200, 200]]);
  assert.equal(two.sha256, found.again.sha256);
  assert.notEqual(two.sha256, small.sha256);
  assert.match(small.sha256, /^[0-9a-f]{64}$/);
  assert.match(found.wrong.message, /resolution is 64; .* 16 or 32 pixels/);
  assert.match(found.eleventh.message, /classes is \[10\]; give numbers from 0 to 9/);
  assert.deepEqual(errors, []);
});

test("folders become classes, and pixels are those of native-train", LIMIT, async (t) => {
  if (!existsSync(NATIVE_TRAIN)) return t.skip(`no ${NATIVE_TRAIN}: cargo build -p native-train`);
  const { page } = await trainPage(t);
  const sizes = [[16, 16], [20, 33], [50, 17], [99, 64], [200, 150], [13, 40]];
  const files = {};
  sizes.forEach(([width, height], i) => {
    files[`set/${["cats", "dogs"][i % 2]}/${i}.png`] = picture(width, height, i);
  });
  const folder = mkdtempSync(join(tmpdir(), "biggan-"));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [path, bytes] of Object.entries(files)) {
    const to = join(folder, path.replace("set/", "set/train/"));
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, bytes);
  }
  const packed = join(folder, "packed");
  execFileSync(NATIVE_TRAIN, [
    ...["data", "pack", join(folder, "set"), "--resolution", "16", "--out", packed],
  ]);
  const native = open(readFileSync(join(packed, "train.pack"))).tensors;
  const { data, findings, progress } = await read(page, files);
  assert.deepEqual([data.name, data.classNames], ["set", ["cats", "dogs"]]);
  assert.deepEqual(progress.at(-1), [6, 6]);
  const classes = new Uint16Array(native.get("row_classes").bytes.buffer);
  assert.deepEqual(data.labels, [...classes]);
  let farthest = 0;
  const planes = native.get("images_u8").bytes;
  data.pixels.forEach((value, at) => {
    const [pixel, channel] = [Math.floor(at / 3), at % 3];
    const [image, place] = [Math.floor(pixel / 256), pixel % 256];
    const other = planes[(image * 3 + channel) * 256 + place];
    farthest = Math.max(farthest, Math.abs(value - other));
  });
  t.diagnostic(`pixels differ by at most ${farthest} of 255`);
  assert.ok(farthest <= 1, `${farthest}`);
  assert.deepEqual(kinds({ findings }), ["warning: few", "warning: small"]);
});

test("what is no picture is left out and named; what ruins a training is warned of", LIMIT, async (t) => {
  const { page } = await trainPage(t);
  const good = { ...pictures("a", 30), ...pictures("bb", 30) };
  assert.deepEqual(kinds(await read(page, good)), []);

  const whole = picture(40, 40, 1);
  // of white bits: 100 million pixels in 12 KB
  const huge = png(10_000, 10_000, Array(10_000).fill(Buffer.alloc(1250, 255)), { kind: "bits" });
  const broken = whole.subarray();
  const bad = {
    "a/cut.png": whole.subarray(0, 200),
    "a/damaged.png": Buffer.concat([broken.subarray(0, 45), Buffer.alloc(40, 1), broken.subarray(85)]),
    "a/huge.png": huge,
    "a/moving.png": png(20, 20, Array(20).fill(Array(60).fill(9)), { animated: true }),
    "a/moving.gif": Buffer.from("GIF89a\x01\x00\x01\x00", "latin1"),
    "a/notes.txt": Buffer.from("no picture"),
    "a/empty.png": Buffer.alloc(0),
  };
  const mixed = await read(page, { ...good, ...bad, "a/.DS_Store": Buffer.alloc(3) });
  assert.equal(mixed.data.labels.length, 60);
  assert.deepEqual(kinds(mixed), ["warning: unreadable"]);
  assert.match(mixed.findings[0].message, /^7 of 67 files are left out/);
  const alone = async (name) => (await read(page, { [name]: bad[name] })).findings[0].message;
  assert.match(await alone("a/cut.png"), /truncated/);
  assert.match(await alone("a/damaged.png"), /broken: it cannot be decoded/);
  assert.match(await alone("a/huge.png"), /10000x10000 are 100 million pixels; at most 50 million/);
  assert.match(await alone("a/moving.png"), /an animation; give single pictures/);
  assert.match(await alone("a/moving.gif"), /neither PNG, JPEG nor WebP/);
  assert.match(await alone("a/empty.png"), /0 bytes of another kind/);

  const line = Array.from({ length: 20 }, () => [200, 200, 200]).flat();
  const constant = png(20, 20, Array(20).fill(line));
  const warned = await read(page, {
    ...pictures("a", 40),
    ...pictures("bb", 30),
    "a/one-colour.png": constant,
    "a/again.png": picture(20, 23, 100),
    "bb/of-a.png": picture(20, 23, 101),
    "bb/tiny.png": picture(9, 30, 5),
  });
  assert.deepEqual(kinds(warned), [
    "warning: two classes",
    "warning: duplicates",
    "warning: small",
    "warning: constant",
    "warning: grey",
  ]);
  const uneven = await read(page, { ...pictures("a", 60), ...pictures("bb", 3) });
  assert.match(uneven.findings[0].message, /class "a" has 60 pictures, class "bb" only 3/);
});

test("no images, one class and 300 classes", LIMIT, async (t) => {
  const { page } = await trainPage(t);
  const none = await read(page, {});
  assert.equal(none.data, null);
  assert.deepEqual(kinds(none), ["fault: no pictures"]);
  const text = await read(page, { "a/readme.txt": Buffer.from("text") });
  assert.equal(text.data, null);
  assert.match(text.findings[0].message, /none of 1 files is a picture/);
  const one = await read(page, pictures("a", 60));
  assert.equal(one.data.classNames.length, 1);
  assert.deepEqual(kinds(one), ["warning: one class"]);
  const flat = await read(page, Object.fromEntries(Object.entries(pictures("a", 60)).map(([path, bytes]) => [path.slice(2), bytes])));
  assert.deepEqual(flat.data.classNames, ["pictures"]);
  const many = Object.fromEntries(
    Array.from({ length: 300 }, (_, i) => [`set/${i}/x.png`, Buffer.alloc(1)]),
  );
  const refused = await read(page, many);
  assert.equal(refused.data, null);
  assert.match(refused.findings[0].message, /there are 300 classes .*at most 36 here/);
});

test("JPEG and WebP are read too, with what is transparent on black", LIMIT, async (t) => {
  const { page } = await trainPage(t);
  const found = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(40, 40);
    const context = canvas.getContext("2d");
    context.fillStyle = "rgb(200 100 50)";
    context.fillRect(0, 0, 40, 40);
    const files = [];
    for (const kind of ["jpeg", "webp", "png"]) {
      files.push({ path: `s/${kind}/x`, file: await canvas.convertToBlob({ type: `image/${kind}` }) });
    }
    context.clearRect(0, 0, 40, 40);
    files.push({ path: "s/void/x", file: await canvas.convertToBlob() });
    const { data } = await biggan.readImages({ files, resolution: 32 });
    return { names: data.classNames, first: data.labels.length, pixels: [...data.pixels].filter((_, i) => i % 3072 < 3) };
  });
  assert.deepEqual(found.names, ["jpeg", "png", "void", "webp"]);
  const [jpeg, other, nothing, webp] = [0, 3, 6, 9].map((at) => found.pixels.slice(at, at + 3));
  assert.deepEqual([other, nothing], [[200, 100, 50], [0, 0, 0]]);
  for (const pixel of [jpeg, webp]) {
    pixel.forEach((value, c) => assert.ok(Math.abs(value - [200, 100, 50][c]) < 6, `${pixel}`));
  }
});
