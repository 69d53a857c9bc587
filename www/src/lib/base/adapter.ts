/** Whether the browser's GPU adapter can run the WebGPU build. */

import { withLimit } from "./abort.js";
import { messageOf } from "./errors.js";

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

/** A driver that hangs never answers; one that starts needs a second or two. */
const ADAPTER_LIMIT_MS = 10_000;

/** The reason not to use the adapter, or null. */
export async function probeAdapter(): Promise<Refusal | null> {
  const found = await findAdapter();
  if ("reason" in found) return found;
  try {
    return judge(found);
  } catch (error) {
    return noAdapter(`the GPU adapter of this browser does not describe itself (${messageOf(error)})`);
  }
}

/** The reason why there is no adapter at all, or null. */
export async function probeAbsence(): Promise<Refusal | null> {
  const found = await findAdapter();
  return "reason" in found ? found : null;
}

/** The adapter's limits, or null without one. */
export async function bufferLimits(): Promise<BufferLimits | null> {
  const found = await findAdapter();
  return "reason" in found ? null : found.limits;
}

const noAdapter = (sentence: string): Refusal => ({ reason: "no-adapter", sentence });

async function findAdapter(): Promise<GPUAdapter | Refusal> {
  // a setting may leave the property there without a value
  const gpu: GPU | undefined = globalThis.navigator?.gpu;
  if (!gpu) return { reason: "no-webgpu", sentence: "this browser has no WebGPU" };
  const request = async () => gpu.requestAdapter({ powerPreference: "high-performance" });
  try {
    const adapter = await withLimit(request(), ADAPTER_LIMIT_MS);
    return adapter ?? noAdapter("this browser offers no GPU adapter");
  } catch (error) {
    return noAdapter(`this browser's request for a GPU adapter failed (${messageOf(error)})`);
  }
}

function judge(adapter: GPUAdapter): Refusal | null {
  // Chrome before 127 and Firefox before 141 lack it, and without it software cannot be told from hardware
  const info: GPUAdapterInfo | undefined = adapter.info;
  if (!info) {
    return { reason: "missing-feature", sentence: "the GPU adapter has no description (info)" };
  }
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
    const limit: number | undefined = adapter.limits[name as keyof typeof LIMITS];
    // an old browser may not state it
    if (limit === undefined || limit < least) {
      return {
        reason: "low-limits",
        sentence: `the GPU adapter's ${name} is ${limit ?? "not stated"}, and ${least} is needed`,
      };
    }
  }
  return null;
}
