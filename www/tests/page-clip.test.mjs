/** The loop of the Between view as a file: a video, or a GIF. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from "mediabunny";
import { openSite, pixels, settled, skip } from "./site.mjs";

const LIMIT = { skip, timeout: 120_000 };
const LINK = "view=between&n=6&class=3&seed=2&to.class=8&to.seed=5";
/** First bytes of a file by its ending: MP4 has a box `ftyp`, WebM the mark of EBML. */
const isOf = {
  mp4: (file) => file.toString("latin1", 4, 8) === "ftyp",
  webm: (file) => file.readUInt32BE(0) === 0x1a45dfa3,
};
/** Of 255, on average: what a codec and its colours may change. */
const TOLERANCE = 3;

test("the loop is saved there and back, at the page's speed", LIMIT, async (t) => {
  // without the page's policy, which plays no video
  const { page, errors, address } = await openSite(t, { reducedMotion: "reduce", bypassCSP: true });
  const loaded = [];
  page.on("request", (request) => loaded.push(request.url()));
  await page.goto(`${address}#${LINK}`);
  await settled(page, "Interpolation");
  const pictures = await pixels(page, "Interpolation");
  await page.getByRole("slider", { name: "Speed" }).fill("5");
  assert.ok(!loaded.some((url) => url.includes("/clip-")), "what writes clips is fetched when it is needed");
  const downloading = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save clip" }).click();
  const download = await downloading;
  await page.getByText("Clip saved.").waitFor();
  assert.ok(loaded.some((url) => url.includes("/clip-")));
  const [, ending] = /^biggan-between-dress-seed-2-truncation-1\.(mp4|webm)$/.exec(download.suggestedFilename());
  const file = readFileSync(await download.path());
  assert.ok(isOf[ending](file), `${ending}: ${file.subarray(0, 12).toString("hex")}`);

  const input = new Input({ source: new BufferSource(file), formats: ALL_FORMATS });
  const track = await input.getPrimaryVideoTrack();
  let frames = 0;
  for await (const _ of new EncodedPacketSink(track).packets()) frames++;
  assert.equal(frames, 10, "6 pictures, and 4 of them again on the way back");
  assert.ok(Math.abs((await input.computeDuration()) - 2) < 0.01, `${await input.computeDuration()} s`);
  assert.deepEqual([await track.getCodedWidth(), await track.getCodedHeight()], [512, 512]);
  t.diagnostic(`${ending}, ${file.length} bytes`);

  // the browser plays it: the frames are the pictures
  const bytes = file.toString("base64");
  const shown = await page.evaluate(async ([base64, type, side]) => {
    const video = document.createElement("video");
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    video.src = URL.createObjectURL(new Blob([bytes], { type }));
    const happens = (event) => new Promise((resolve, reject) => {
      video.addEventListener(event, resolve, { once: true });
      video.addEventListener("error", () => reject(new Error(video.error.message)), { once: true });
    });
    await happens("loadeddata");
    /** A frame is there when it has been handed to the compositor, which is after `seeked`. */
    const presented = (seconds) => new Promise((resolve) => {
      const look = (_, { mediaTime }) =>
        Math.abs(mediaTime - seconds) < 0.01 ? resolve() : video.requestVideoFrameCallback(look);
      video.requestVideoFrameCallback(look);
    });
    const found = [];
    for (const frame of [5, 9, 0]) {
      const there = presented(frame / 5);
      video.currentTime = (frame + 0.5) / 5;
      await there;
      const context = new OffscreenCanvas(side, side).getContext("2d");
      context.drawImage(video, 0, 0, side, side);
      found.push([...context.getImageData(0, 0, side, side).data]);
    }
    return found;
  }, [bytes, `video/${ending}`, 32]);
  [5, 1, 0].forEach((place, at) => {
    const apart = shown[at].reduce((sum, value, byte) => sum + Math.abs(value - pictures[place][byte]), 0) / shown[at].length;
    t.diagnostic(`picture ${place}: ${apart.toFixed(2)} of 255 on average`);
    assert.ok(apart < TOLERANCE, `${apart}`);
  });
  assert.deepEqual(errors, []);
});

const WITHOUT = {
  "where the browser encodes no video": () => delete window.VideoEncoder,
  "where it has no codec": () => (VideoEncoder.isConfigSupported = async () => ({ supported: false })),
};
for (const [where, prepare] of Object.entries(WITHOUT)) {
  test(`${where}, the loop is a GIF`, LIMIT, async (t) => {
    const { page, errors, address } = await openSite(t, { reducedMotion: "reduce" });
    await page.addInitScript(prepare);
    await page.goto(`${address}#${LINK}`);
    await settled(page, "Interpolation");
    const pictures = await pixels(page, "Interpolation");
    await page.getByRole("slider", { name: "Speed" }).fill("5");
    const downloading = page.waitForEvent("download");
    await page.getByRole("button", { name: "Save clip" }).click();
    const download = await downloading;
    await page.getByText("Saved as a GIF").waitFor();
    assert.equal(download.suggestedFilename(), "biggan-between-dress-seed-2-truncation-1.gif");
    const base64 = readFileSync(await download.path()).toString("base64");
    const frames = await page.evaluate(async (base64) => {
      const data = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      const decoder = new ImageDecoder({ data, type: "image/gif" });
      await Promise.all([decoder.tracks.ready, decoder.completed]);
      const { frameCount, repetitionCount } = decoder.tracks.selectedTrack;
      const shown = [];
      for (const frameIndex of [0, 5, 9]) {
        const { image } = await decoder.decode({ frameIndex });
        const context = new OffscreenCanvas(32, 32).getContext("2d");
        context.imageSmoothingEnabled = false;
        context.drawImage(image, 0, 0, 32, 32);
        shown.push({ side: image.displayWidth, us: image.duration, rgba: [...context.getImageData(0, 0, 32, 32).data] });
      }
      return { frameCount, repetitionCount, shown };
    }, base64);
    assert.deepEqual([frames.frameCount, frames.repetitionCount], [10, Infinity]);
    [0, 5, 1].forEach((place, at) => {
      const { side, us, rgba } = frames.shown[at];
      assert.deepEqual([side, us], [256, 200_000]);
      const apart = rgba.reduce((sum, value, byte) => sum + Math.abs(value - pictures[place][byte]), 0) / rgba.length;
      assert.ok(apart < TOLERANCE, `picture ${place}: ${apart}`);
    });
    assert.deepEqual(errors, []);
  });
}

test("the page has the licences of its libraries", LIMIT, async (t) => {
  const { page, address } = await openSite(t);
  await page.goto(address);
  const notices = await (await page.request.get(`${address}THIRD-PARTY-NOTICES.txt`)).text();
  for (const says of [/gifenc [\d.]+: MIT/, /mediabunny [\d.]+: MPL-2.0/, /uplot [\d.]+: MIT/, /Mozilla Public License Version 2.0/]) {
    assert.match(notices, says);
  }
});
