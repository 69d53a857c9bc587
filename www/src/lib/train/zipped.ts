/** A file in a zip, unpacked when it is wanted. */
export interface Zipped {
  readonly size: number;
  /** All of it, or from its start `most` bytes or a little more. Throws with the reason if it cannot be unpacked. */
  unpack(most?: number): Promise<Blob>;
}
