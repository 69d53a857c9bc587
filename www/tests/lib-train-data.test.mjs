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
import { zipOfFolder } from "./zips.mjs";

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

const SHIPPED = [
  // the mean of the pack
  { set: "avatars", images: 1800, classes: 12, grey: false, mean: [159, 160.5], two: ["critters", "thumbs"] },
  // the mean of 28x28 Fashion-MNIST is 73; padded to 32x32 it is 56
  { set: "fashion-mnist", images: 2000, classes: 10, grey: true, mean: [50, 62], two: ["Trouser", "Ankle boot"] },
];

for (const { set, images, classes, grey, mean, two } of SHIPPED) {
  test(`${set}: ${images} images ship, at 16 and 32 pixels, and classes can be chosen`, LIMIT, async (t) => {
    const { page, errors } = await trainPage(t);
    const found = await page.evaluate(async ([set, beyond]) => {
      const of = async (request) => {
        const { data, findings } = await biggan.readShipped({ set, ...request });
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
        wrong: await biggan.failure(biggan.readShipped({ set, resolution: 64 })),
        beyond: await biggan.failure(biggan.readShipped({ set, resolution: 16, classes: [beyond] })),
      };
    }, [set, classes]);
    const { small, large } = found;
    assert.deepEqual([small.labels, small.pixels], [images, images * 16 * 16 * 3]);
    assert.deepEqual([large.labels, large.pixels], [images, images * 32 * 32 * 3]);
    assert.deepEqual(small.counts, Array(classes).fill(images / classes));
    assert.deepEqual([small.grey, large.grey], [grey, grey]);
    for (const one of [small, large]) assert.ok(one.mean > mean[0] && one.mean < mean[1], `mean ${one.mean}`);
    assert.deepEqual([found.two.classNames, found.two.counts], [two, [images / classes, images / classes]]);
    assert.equal(found.two.sha256, found.again.sha256);
    assert.notEqual(found.two.sha256, small.sha256);
    assert.match(small.sha256, /^[0-9a-f]{64}$/);
    assert.match(found.wrong.message, /resolution is 64; .* 16 or 32 pixels/);
    assert.match(found.beyond.message, new RegExp(`classes is \\[${classes}\\]; give numbers from 0 to ${classes - 1}`));
    assert.deepEqual(errors, []);
  });
}

test("the set that ships by default is the first, and others are refused by name", LIMIT, async (t) => {
  const { page } = await trainPage(t);
  const { name, listed, wrong } = await page.evaluate(async () => ({
    name: (await biggan.readShipped({ resolution: 16, classes: [0] })).data.name,
    listed: biggan.SHIPPED.map(({ name }) => name),
    wrong: await biggan.failure(biggan.readShipped({ set: "cifar", resolution: 16 })),
  }));
  assert.equal(name, "Avatars, 1,800 images");
  assert.equal(listed[0], name);
  assert.match(wrong.message, /set is cifar; those that ship are avatars and fashion-mnist/);
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
  assert.equal(farthest, 0);
  assert.deepEqual(kinds({ findings }), ["warning: few", "warning: small", "warning: shape"]);
});

test("a zip is the same images as its folder, and is fetched for only then", LIMIT, async (t) => {
  const { page, log, errors } = await trainPage(t);
  const folder = { ...pictures("set/a", 3), ...pictures("set/bb", 4) };
  const asked = () => log.some(({ path }) => path.endsWith("/train-zip.js"));
  const loose = await read(page, folder);
  assert.equal(asked(), false);
  const zipped = await read(page, { "set.zip": zipOfFolder(folder) });
  assert.equal(asked(), true);
  assert.deepEqual(zipped.data, loose.data);
  const broken = await read(page, { "set.zip": zipOfFolder(folder, { encrypted: true }) });
  assert.equal(broken.data, null);
  assert.deepEqual(kinds(broken), ["fault: zip"]);
  assert.deepEqual(errors, []);
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
    "a/text.png": Buffer.from("no picture"),
    "a/empty.png": Buffer.alloc(0),
  };
  const other = { "a/moving.gif": Buffer.from("GIF89a\x01\x00\x01\x00", "latin1"), "a/notes.txt": Buffer.from("text") };
  const mixed = await read(page, { ...good, ...bad, ...other, "a/.DS_Store": Buffer.alloc(3) });
  assert.equal(mixed.data.labels.length, 60);
  assert.deepEqual(kinds(mixed), [
    "warning: unreadable",
    "warning: passed over",
    "note: passed over",
    "note: passed over",
  ]);
  const [unreadable, ...passed] = mixed.findings.map(({ message }) => message);
  assert.match(unreadable, /^5 of 65 files are left out/);
  assert.deepEqual(passed, [
    "passed over: 1 picture of a kind that is not read (GIF; a/moving.gif)",
    "passed over: 1 file that is no picture (a/notes.txt)",
    "passed over: 1 hidden file (a/.DS_Store)",
  ]);
  // a class that has nothing else is refused
  const alone = async (name) => {
    const { data, findings } = await read(page, { ...pictures("bb", 3), [name]: bad[name] });
    assert.equal(data, null);
    assert.match(findings[0].message, /^none of the pictures of class "a" can be read: /);
    return findings[0].message;
  };
  assert.match(await alone("a/cut.png"), /a\/cut.png: .*(end|eof|truncated)/i);
  assert.match(await alone("a/damaged.png"), /crc|corrupt/i);
  assert.match(await alone("a/huge.png"), /its header says 10000x10000 pixels; a side may have 1 to 8192/);
  assert.match(await alone("a/text.png"), /neither PNG, JPEG nor WebP/);
  assert.match(await alone("a/empty.png"), /the file is empty/);

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
    "warning: constant",
    "warning: grey",
    "warning: small",
    "warning: shape",
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
  assert.deepEqual(
    text.findings.map(({ message }) => message),
    ["there is no picture", "passed over: 1 file that is no picture (readme.txt)"],
  );
  const one = await read(page, pictures("a", 60));
  assert.equal(one.data.classNames.length, 1);
  assert.deepEqual(kinds(one), ["note: one class"]);
  const flat = await read(page, Object.fromEntries(Object.entries(pictures("a", 60)).map(([path, bytes]) => [path.slice(2), bytes])));
  assert.deepEqual(flat.data.classNames, ["pictures"]);
  const many = Object.fromEntries(
    Array.from({ length: 300 }, (_, i) => [`set/${i}/x.png`, Buffer.alloc(1)]),
  );
  const refused = await read(page, many);
  assert.equal(refused.data, null);
  assert.match(refused.findings[0].message, /there are 300 classes .*at most 36 here/);
});

test("what a browser would not open is named, and the rest is read", LIMIT, async (t) => {
  const { page } = await trainPage(t);
  const found = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(20, 20);
    canvas.getContext("2d").fillRect(0, 0, 9, 9);
    const file = await canvas.convertToBlob();
    const root = await navigator.storage.getDirectory();
    const handle = await root.getFileHandle("vanishing", { create: true });
    const out = await handle.createWritable();
    await out.write("some bytes");
    await out.close();
    const vanished = await handle.getFile();
    await root.removeEntry("vanishing");
    const files = ["a/0.png", "b/0.png"].map((path) => ({ path, file }));
    const unopened = [{ path: "b/1.png", reason: "a file could not be read" }];
    const some = await biggan.readImages({ files, unopened, resolution: 16 });
    const none = await biggan.readImages({ files: [], unopened, resolution: 16 });
    const gone = ["b/2", "b/3.png"].map((path) => ({ path, file: vanished }));
    const other = await biggan.readImages({ files: [...files, ...gone], resolution: 16 });
    return { count: some.data.labels.length, some: some.findings, none: none.findings, other: other.findings };
  });
  assert.equal(found.count, 2);
  assert.equal(found.some[0].message, "1 of 3 files are left out: b/1.png: a file could not be read");
  assert.match(found.none[0].message, /there is no picture: 1 of the files cannot be opened: b\/1.png/);
  assert.ok(found.other.some(({ message }) => message === "passed over: 1 file that is no picture (b/2)"));
  assert.match(found.other[0].message, /^1 of 3 files are left out: b\/3.png: .*could not be found/);
});

test("without the build that decodes no picture is blamed", LIMIT, async (t) => {
  const missing = (_, response) => void response.writeHead(404).end();
  const { page } = await trainPage(t, { files: { "/lib/wasm/pictures/biggan_web.js": missing } });
  const failure = await page.evaluate(() =>
    biggan.failure(biggan.readImages({ files: [{ path: "a/0.png", file: new Blob(["x"]) }], resolution: 16 })),
  );
  assert.equal(failure.code, "network");
  assert.match(failure.message, /^the build that decodes pictures could not be loaded: /);
});

test("JPEG and WebP are read too, with what is transparent on white", LIMIT, async (t) => {
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
  assert.deepEqual([other, nothing], [[200, 100, 50], [255, 255, 255]]);
  for (const pixel of [jpeg, webp]) {
    pixel.forEach((value, c) => assert.ok(Math.abs(value - [200, 100, 50][c]) < 6, `${pixel}`));
  }
});
