/** A page with the package as `biggan`, sampler and trainer. */

import { host, openPage, STRICT } from "./lib-host.mjs";

export async function trainPage(t, { args, files, policy = STRICT, ...context } = {}) {
  const server = await host(t, { files, headers: { "Content-Security-Policy": policy } });
  const opened = await openPage(t, { args, ...context });
  await loadTrainer(opened.page, server.origin);
  return { ...opened, ...server };
}

/** Opens a blank page and gives it the library, of its own origin or another, and helpers. */
export async function loadTrainer(page, origin, packages = origin) {
  await page.goto(`${origin}/`);
  await page.evaluate(async (packages) => {
    const [index, train] = await Promise.all(
      ["index", "train"].map((name) => import(`${packages}/lib/${name}.js`)),
    );
    globalThis.biggan = {
      ...index,
      ...train,
      /** A trainer of a tiny model of two classes on the CPU. */
      tiny: async (options = {}) => {
        const { data } = await train.readShipped({ resolution: 16, classes: [1, 9] });
        const recipe = { ...train.PRESETS[0].recipe, width: 2, batchSize: 8, zDim: 12 };
        return train.createTrainer({ data, recipe, backend: "cpu", ...options });
      },
      /** What an error says of itself. */
      failure: (promise) =>
        promise.then(
          () => "no error",
          ({ name, code, field, numbers, message }) => ({ name, code, field, numbers, message }),
        ),
      sameBytes: async (a, b) => {
        const [x, y] = await Promise.all([a.arrayBuffer(), b.arrayBuffer()]);
        const [left, right] = [new Uint8Array(x), new Uint8Array(y)];
        return left.length === right.length && left.every((byte, i) => byte === right[i]);
      },
    };
  }, packages);
}
