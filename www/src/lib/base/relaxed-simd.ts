/** Whether this browser has relaxed SIMD, and with it fused multiply-add: a build with it is refused elsewhere. */

/** A wasm module of one function: `f32x4.relaxed_madd` of three vectors of zeros. */
const PROBE = [
  // "\0asm", version 1
  ...[0, 97, 115, 109, 1, 0, 0, 0],
  // one type: () -> v128
  ...[1, 5, 1, 96, 0, 1, 123],
  // one function of that type
  ...[3, 2, 1, 0],
  // its code: three times i32.const 0, i8x16.splat; then f32x4.relaxed_madd, end
  ...[10, 19, 1, 17, 0],
  ...[65, 0, 253, 15, 65, 0, 253, 15, 65, 0, 253, 15, 253, 133, 2, 11],
];

export const hasRelaxedSimd = (): boolean => WebAssembly.validate(new Uint8Array(PROBE));
