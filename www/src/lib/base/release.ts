/** Memory given back. */

/** Empties an array that nobody reads any more: its memory is free at once, and not when garbage is next collected. */
export function release({ buffer }: Uint8Array<ArrayBuffer>): void {
  // browsers before 2024 cannot
  (buffer as ArrayBuffer & { transfer?(bytes: number): ArrayBuffer }).transfer?.(0);
}
