/** Where a model comes from. */

import type { ForeignModel, GeneratorOptions } from "../../lib/index.js";
import { OWN } from "./offers.js";

export type Source =
  /** The one that comes with the page. */
  | { kind: "shipped" }
  | { kind: "address"; address: string }
  | { kind: "file"; name: string; file: Blob | ForeignModel };

/** For the package. */
export function modelOf(source: Source): GeneratorOptions["model"] {
  switch (source.kind) {
    case "shipped":
      return OWN.address;
    case "address":
      return source.address;
    case "file":
      return source.file;
  }
}

/** For links: `null` is the page's own, and a file has none. */
export function addressOf(source: Source): string | null | undefined {
  switch (source.kind) {
    case "shipped":
      return null;
    case "address":
      return source.address;
    case "file":
      return undefined;
  }
}

/** For people. */
export function nameOf(source: Source): string {
  switch (source.kind) {
    case "shipped":
      return lastPart(OWN.address);
    case "address":
      return lastPart(source.address);
    case "file":
      return source.name;
  }
}

const lastPart = (address: string) => address.replace(/[?#].*$/, "").replace(/^.*\//, "") || address;
