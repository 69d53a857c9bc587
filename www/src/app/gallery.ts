/** The grid of samples. */

import type { SampleRequest, Samples } from "../lib/index.js";
import { describe } from "./describe.js";
import { element } from "./element.js";

/** What is on the page now. */
export interface Shown {
  request: SampleRequest;
  className: string;
  samples: Samples;
}

export class Gallery {
  readonly #list = element("samples", HTMLUListElement);
  #addresses: string[] = [];
  #shown: Shown | undefined;

  get shown(): Shown | undefined {
    return this.#shown;
  }

  set busy(busy: boolean) {
    this.#list.setAttribute("aria-busy", String(busy));
  }

  /** Empty places, so that nothing jumps when the pictures come. */
  expect(count: number): void {
    this.#list.replaceChildren(...Array.from({ length: count }, () => document.createElement("li")));
  }

  async show(shown: Shown): Promise<void> {
    const addresses = await Promise.all(
      images(shown.samples).map(async (image) => URL.createObjectURL(await toPng(image))),
    );
    const alt = describe(shown.request, shown.className);
    const items = addresses.map((address) => {
      const picture = new Image(shown.samples.side, shown.samples.side);
      picture.src = address;
      picture.alt = alt;
      picture.decoding = "sync";
      return picture;
    });
    await Promise.all(items.map((picture) => picture.decode()));
    // the places stay and only their pictures change, so that a dragged slider does not flicker
    const places = Array.from(this.#list.children).slice(0, items.length);
    while (places.length < items.length) places.push(document.createElement("li"));
    places.forEach((place, index) => place.replaceChildren(items[index] as HTMLImageElement));
    this.#list.replaceChildren(...places);
    for (const address of this.#addresses) URL.revokeObjectURL(address);
    this.#addresses = addresses;
    this.#shown = shown;
  }
}

/** The pictures of a request, one by one. */
export function images({ side, count, rgba }: Samples): ImageData[] {
  const bytes = side * side * 4;
  return Array.from(
    { length: count },
    (_, index) => new ImageData(rgba.slice(index * bytes, (index + 1) * bytes), side),
  );
}

function toPng(image: ImageData): Promise<Blob> {
  const canvas = new OffscreenCanvas(image.width, image.height);
  canvas.getContext("2d")?.putImageData(image, 0, 0);
  return canvas.convertToBlob({ type: "image/png" });
}
