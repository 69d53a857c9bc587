/** A worker that loses its GPU, for pages that are made in tests. */

/**
 * Files of a worker that destroys its device when its page makes a call of a kind for the `?at=`th time, as a driver or a
 * browser does that takes the GPU away. `worker` is the package's own worker, `/losing.js` the one that loses.
 */
export const losing = (worker, call) => ({
  "/losing.js": `import "/lose.js"; import "/lib/${worker}";`,
  "/lose.js": `
let device;
const { requestDevice } = GPUAdapter.prototype;
GPUAdapter.prototype.requestDevice = async function (...given) {
  device = await requestDevice.apply(this, given);
  return device;
};
let calls = 0;
const at = Number(new URLSearchParams(location.search).get("at"));
addEventListener("message", ({ data }) => {
  if (data.call === "${call}" && ++calls === at) device.destroy();
});`,
});
