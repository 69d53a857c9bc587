/** Whether the browser's GPU adapter can run the WebGPU build. */

/** Why the CPU runs instead of WebGPU: a word for programs and a sentence for people. */
export interface Refusal {
  reason: "no-webgpu" | "no-adapter" | "fallback-adapter" | "missing-feature" | "low-limits";
  sentence: string;
}

/** An adapter's limits on buffer sizes, in bytes. */
export type BufferLimits = Pick<
  GPUSupportedLimits,
  "maxBufferSize" | "maxStorageBufferBindingSize"
>;

/** Words in the descriptions of drivers that compute on the CPU. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b/i;

/** WebGPU's guaranteed limits, which the kernels rely on; compatibility mode has lower ones. */
const LIMITS = {
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupStorageSize: 16384,
  maxStorageBuffersPerShaderStage: 8,
  maxStorageBufferBindingSize: 2 ** 27,
} as const satisfies Partial<Record<keyof GPUSupportedLimits, number>>;

/** The reason not to use the adapter, or null. */
export async function probeAdapter(): Promise<Refusal | null> {
  if (!("gpu" in navigator)) {
    return { reason: "no-webgpu", sentence: "this browser has no WebGPU" };
  }
  const adapter = await requestAdapter();
  if (!adapter) {
    return { reason: "no-adapter", sentence: "this browser offers no GPU adapter" };
  }
  return judge(adapter);
}

/** The adapter's limits, or null without one. */
export async function bufferLimits(): Promise<BufferLimits | null> {
  return "gpu" in navigator ? ((await requestAdapter())?.limits ?? null) : null;
}

const requestAdapter = () =>
  navigator.gpu.requestAdapter({ powerPreference: "high-performance" }).catch(() => null);

function judge(adapter: GPUAdapter): Refusal | null {
  const { info } = adapter;
  // the flag moved from the adapter to its info; a browser has one of the two
  const fallback =
    info.isFallbackAdapter ||
    ("isFallbackAdapter" in adapter && adapter.isFallbackAdapter === true);
  const described = [info.vendor, info.architecture, info.device, info.description].join(" ");
  if (fallback || SOFTWARE.test(described)) {
    return {
      reason: "fallback-adapter",
      sentence: "the GPU adapter of this browser is software, which is slower than the CPU build",
    };
  }
  // cubecl times its kernels and stops without it
  if (!adapter.features.has("timestamp-query")) {
    return { reason: "missing-feature", sentence: "the GPU adapter has no timestamp queries" };
  }
  for (const [name, least] of Object.entries(LIMITS)) {
    const limit = adapter.limits[name as keyof typeof LIMITS];
    if (limit < least) {
      return {
        reason: "low-limits",
        sentence: `the GPU adapter's ${name} is ${limit}, and ${least} is needed`,
      };
    }
  }
  return null;
}
