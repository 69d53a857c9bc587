/**
 * What a CDN answers for the package without a file, such as `/npm/biggan@0.1.0`. From there addresses next to a module
 * lead out of the package, so that it finds the entries in the folder of that name.
 */

const folder = new URL(import.meta.url);
if (!/\.js$/.test(folder.pathname)) folder.pathname = `${folder.pathname.replace(/\/$/, "")}/`;
const [element, index] = await Promise.all(
  ["element.js", "index.js"].map((name) => import(new URL(name, folder).href)),
);
export const { BigGanSampler } = element;
export const { BigGanError, createGenerator } = index;
