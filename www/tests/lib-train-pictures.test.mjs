/** Pictures as people have them: the browser and `native-train` read the same directory, byte for byte. */

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test from "node:test";
import { here, skip as noPackage, without } from "./lib-host.mjs";
import { trainPage } from "./lib-train-page.mjs";
import { NATIVE_TRAIN } from "./native.mjs";
import { exif, picture, png, withExif } from "./png-files.mjs";
import { open } from "./safetensors.mjs";

const noNative = existsSync(NATIVE_TRAIN) ? false : `no ${NATIVE_TRAIN}: cargo build -p native-train`;
const skip = noPackage || without("pictures");
const LIMIT = { skip, timeout: 120_000 };
const BOTH = { skip: skip || noNative, timeout: 120_000 };

const fixture = (name) => readFileSync(here(`../../tests/fixtures/pictures/${name}`));
const baseline = fixture("baseline.jpg");
const progressive = fixture("progressive.jpg");
const video = Buffer.concat([Buffer.from("\0\0\0\x18ftypmp42", "latin1"), Buffer.alloc(100_000)]);
const rows = (width, height, of) =>
  Array.from({ length: height }, (_, y) => Array.from({ length: width }, (_, x) => of(x, y)).flat());
/** Green on the left, on the right magenta that no viewer shows; between them half and half. */
const sprite = rows(24, 20, (x) => (x < 8 ? [20, 200, 20, 255] : x < 16 ? [20, 200, 20, 128] : [255, 0, 255, 0]));
const rgb = rows(21, 16, (x, y) => [x * 12, y * 15, (x * y) % 256]);
/** 12 bits of 16. */
const deep = rows(20, 20, (x, y) => [(x * 200 + y) >> 8, (x * 200 + y) & 255]);

const WHOLE = {
  "baseline.jpg": baseline,
  "progressive.jpg": progressive,
  "restart.jpg": fixture("restart.jpg"),
  "grey.jpg": fixture("grey.jpg"),
  "cmyk.jpg": fixture("cmyk.jpg"),
  "lossy.webp": fixture("lossy.webp"),
  "moving.webp": fixture("moving.webp"),
  "moving.png": fixture("moving.png"),
  "sprite.png": png(24, 20, sprite, { kind: "rgba" }),
  "deep.png": png(20, 20, deep, { kind: "grey16" }),
  "wide.png": picture(160, 20, 1),
  "MVIMG_0001.jpg": Buffer.concat([baseline, video]),
  "PANO_0001.jpg": Buffer.concat([baseline.subarray(0, -2), video]),
  "no-end.jpg": baseline.subarray(0, -2),
  "photo.jfif": baseline,
  photo: progressive,
  "jpeg-called.png": baseline,
  ...Object.fromEntries(
    [1, 2, 3, 4, 5, 6, 7, 8, 9].flatMap((turn) => [
      [`turned-${turn}.jpg`, withExif(baseline, exif(turn, turn % 2 === 0))],
      [`turned-${turn}.png`, png(21, 16, rgb, { exif: exif(turn) })],
    ]),
  ),
};
const BROKEN = {
  "cut.jpg": baseline.subarray(0, 0.6 * baseline.length),
  "cut-behind-thumbnail.jpg": withExif(baseline, exif(1), progressive).subarray(0, 1300),
  "cut-progressive.jpg": progressive.subarray(0, 0.6 * progressive.length),
  "cut.webp": fixture("lossy.webp").subarray(0, 300),
  "cut.png": WHOLE["sprite.png"].subarray(0, 60),
  "empty.jpg": Buffer.alloc(0),
  "page.jpg": Buffer.from("<!DOCTYPE html><title>404</title>"),
  "heic-called.jpg": Buffer.from("\0\0\0\x18ftypheic\0\0\0\0", "latin1"),
  "lfs.png": Buffer.from("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
};

const inFolder = (folder, files) =>
  Object.fromEntries(Object.entries(files).map(([name, bytes]) => [`${folder}/${name}`, bytes]));
const OTHER = inFolder("other", { "0.png": picture(30, 30, 3) });

/** Reads files in the page; returns the data with plain arrays, and the findings. */
async function read(page, files, options = {}) {
  const sent = Object.entries(files).map(([path, bytes]) => [path, Buffer.from(bytes).toString("base64")]);
  return page.evaluate(
    async ([sent, options]) => {
      const blob = (text) => new Blob([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))]);
      const files = sent.map(([path, text]) => ({ path: `set/${path}`, file: blob(text) }));
      const { data, findings } = await biggan.readImages({ files, resolution: 16, ...options });
      const plain = data && { ...data, labels: [...data.labels], pixels: [...data.pixels] };
      return { data: plain, findings };
    },
    [sent, options],
  );
}

function written(t, files) {
  const folder = mkdtempSync(join(tmpdir(), "biggan-"));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [path, bytes] of Object.entries(files)) {
    const to = join(folder, "set", path);
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, bytes);
  }
  return folder;
}

/** The packed images of a directory, interleaved as the browser has them. */
function packed(folder, ...options) {
  const out = join(folder, `packed${options.join("")}`);
  execFileSync(NATIVE_TRAIN, ["data", "pack", join(folder, "set"), "--resolution", "16", "--out", out, ...options]);
  const { tensors, metadata } = open(readFileSync(join(out, "train.pack")));
  const planes = tensors.get("images_u8").bytes;
  const pixels = Array.from(planes, (_, at) => {
    const [pixel, channel] = [Math.floor(at / 3), at % 3];
    return planes[(Math.floor(pixel / 256) * 3 + channel) * 256 + (pixel % 256)];
  });
  const labels = [...new Uint16Array(tensors.get("row_classes").bytes.buffer)];
  return { pixels, labels, classNames: JSON.parse(metadata.class_names) };
}

test("the same directory gives the same classes, counts and pixels as native-train", BOTH, async (t) => {
  const { page, errors } = await trainPage(t);
  const files = { ...inFolder("photos", WHOLE), ...OTHER };
  const folder = written(t, files);
  for (const [options, flags] of [
    [{}, []],
    [{ fit: "pad", background: "#10ff80" }, ["--fit", "pad", "--background", "#10ff80"]],
  ]) {
    const { data, findings } = await read(page, files, options);
    const native = packed(folder, ...flags);
    assert.deepEqual(findings.filter(({ kind }) => ["unreadable", "passed over"].includes(kind)), []);
    assert.deepEqual(data.classNames, native.classNames);
    assert.deepEqual(data.labels, native.labels);
    assert.deepEqual(data.pixels, native.pixels);
  }
  assert.deepEqual(errors, []);
});

test("what is cut or no picture is refused by both, with the same words", BOTH, async (t) => {
  const { page } = await trainPage(t);
  const some = { "a/0.png": picture(30, 30, 1), ...OTHER };
  for (const [name, bytes] of Object.entries(BROKEN)) {
    const files = { ...some, [`a/${name}`]: bytes };
    const { data, findings } = await read(page, files);
    assert.equal(data?.labels.length, 2, name);
    const { message } = findings.find(({ kind }) => kind === "unreadable");
    assert.match(message, /^1 of 3 files are left out/);
    const reason = message.slice(message.indexOf(`set/a/${name}: `) + `set/a/${name}: `.length);
    const checked = spawnSync(NATIVE_TRAIN, ["data", "check", join(written(t, files), "set")], { encoding: "utf8" });
    assert.equal(checked.status, 1, name);
    assert.ok(checked.stdout.includes(`${name}: ${reason}`), `${checked.stdout} lacks ${reason}`);
  }
});

test("what is transparent becomes the background, and hidden colours never become data", LIMIT, async (t) => {
  const { page } = await trainPage(t);
  const files = { "a/sprite.png": WHOLE["sprite.png"], ...OTHER };
  const last = async (options) => {
    const { data, findings } = await read(page, files, options);
    const { message } = findings.find(({ kind }) => kind === "transparent");
    return [data.pixels.slice(45, 48), message];
  };
  assert.deepEqual(await last({}), [
    [255, 255, 255],
    "1 of 2 have transparent pixels, which become #ffffff (the background): set/a/sprite.png",
  ]);
  assert.deepEqual((await last({ background: "#102030" }))[0], [16, 32, 48]);
  const refused = await page.evaluate(async () => [
    await biggan.failure(biggan.readImages({ files: [], resolution: 16, background: "white" })),
    await biggan.failure(biggan.readImages({ files: [], resolution: 16, fit: "stretch" })),
  ]);
  assert.match(refused[0].message, /background is "white"; give six hexadecimal digits/);
  assert.match(refused[1].message, /fit is "stretch"; give "crop" or "pad"/);
});

test("what is lost or filled in is found, with its count and an example", LIMIT, async (t) => {
  const { page } = await trainPage(t);
  const mask = png(20, 20, rows(20, 20, (x) => [x % 3, x % 3, x % 3]));
  const files = {
    ...inFolder("a", { "0.png": picture(30, 30, 1), "mask.png": mask, "tall.png": picture(10, 160, 2) }),
    ...inFolder("b", { "deep.png": WHOLE["deep.png"], "cmyk.jpg": WHOLE["cmyk.jpg"], "moving.webp": WHOLE["moving.webp"] }),
  };
  const { findings } = await read(page, files);
  const said = (kind) => findings.find((finding) => finding.kind === kind)?.message;
  assert.match(said("shape"), /^1 of 6 are far from square, such as 10x160, of which the crop loses 94 %: set\/a\/tall/);
  assert.match(said("small"), /^1 of 6 are smaller than 16x16, the smallest 10x160 \(enlarged 1.6 times\)/);
  assert.match(said("16 bits"), /^1 of 6 have 16 bits a value, of which 12 are in use/);
  assert.match(said("range"), /^2 of 6 are nearly black: no value is above 1\d of 255/);
  assert.match(said("animated"), /^1 of 6 are animations, of which only the first frame is used/);
  assert.match(said("cmyk"), /^1 of 6 are stored in four inks/);
});
