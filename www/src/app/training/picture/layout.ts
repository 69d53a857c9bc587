/** Positions of the parts of the diagram, on wide and on narrow screens. */

import type { Part } from "./parts.js";

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A flow from part to part; gradients are dashed. */
export interface Flow {
  from: Part;
  to: Part;
  /** Corners, in the units of the picture. */
  points: [number, number][];
}

export interface Layout {
  width: number;
  height: number;
  boxes: Record<Part, Box>;
  flows: Flow[];
}

const box = (x: number, y: number, width: number, height: number): Box => ({ x, y, width, height });

/** Left to right: G makes, D judges; gradients run back below. */
export const WIDE: Layout = {
  width: 1000,
  height: 400,
  boxes: {
    latents: box(10, 150, 110, 62),
    classes: box(10, 236, 110, 62),
    generator: box(160, 132, 190, 184),
    fakes: box(392, 172, 112, 144),
    reals: box(392, 8, 112, 144),
    discriminator: box(548, 72, 190, 184),
    scores: box(778, 96, 96, 136),
    loss: box(904, 120, 88, 88),
    average: box(160, 40, 190, 60),
    orthogonal: box(10, 340, 140, 52),
    "update-g": box(176, 340, 158, 52),
    "update-d": box(564, 300, 158, 52),
  },
  flows: [
    { from: "latents", to: "generator", points: [[120, 181], [160, 181]] },
    { from: "classes", to: "generator", points: [[120, 267], [160, 267]] },
    { from: "generator", to: "fakes", points: [[350, 232], [392, 232]] },
    { from: "fakes", to: "discriminator", points: [[504, 216], [548, 216]] },
    { from: "reals", to: "discriminator", points: [[504, 112], [548, 112]] },
    { from: "discriminator", to: "scores", points: [[738, 164], [778, 164]] },
    { from: "scores", to: "loss", points: [[874, 164], [904, 164]] },
    { from: "loss", to: "update-d", points: [[940, 208], [940, 326], [722, 326]] },
    { from: "update-d", to: "discriminator", points: [[643, 300], [643, 256]] },
    { from: "loss", to: "update-g", points: [[966, 208], [966, 376], [334, 376]] },
    { from: "update-g", to: "generator", points: [[255, 340], [255, 316]] },
    { from: "orthogonal", to: "update-g", points: [[150, 366], [176, 366]] },
    { from: "generator", to: "average", points: [[255, 132], [255, 100]] },
  ],
};

/** Top to bottom, for phones; G's gradient runs back up on the right, D's on the left. */
export const TALL: Layout = {
  width: 360,
  height: 822,
  boxes: {
    latents: box(8, 8, 100, 60),
    classes: box(8, 80, 100, 60),
    generator: box(140, 8, 192, 160),
    average: box(8, 180, 176, 54),
    fakes: box(216, 250, 116, 132),
    reals: box(70, 250, 116, 132),
    discriminator: box(60, 414, 238, 148),
    scores: box(60, 592, 130, 68),
    loss: box(228, 592, 102, 68),
    "update-d": box(8, 698, 164, 54),
    "update-g": box(188, 698, 164, 54),
    orthogonal: box(188, 772, 164, 46),
  },
  flows: [
    { from: "latents", to: "generator", points: [[108, 38], [140, 38]] },
    { from: "classes", to: "generator", points: [[108, 110], [140, 110]] },
    { from: "generator", to: "average", points: [[162, 168], [162, 180]] },
    { from: "generator", to: "fakes", points: [[274, 168], [274, 250]] },
    { from: "reals", to: "discriminator", points: [[128, 382], [128, 414]] },
    { from: "fakes", to: "discriminator", points: [[274, 382], [274, 414]] },
    { from: "discriminator", to: "scores", points: [[125, 562], [125, 592]] },
    { from: "scores", to: "loss", points: [[190, 626], [228, 626]] },
    { from: "loss", to: "update-d", points: [[250, 660], [250, 680], [100, 680], [100, 698]] },
    { from: "loss", to: "update-g", points: [[300, 660], [300, 698]] },
    { from: "update-d", to: "discriminator", points: [[30, 698], [30, 488], [60, 488]] },
    { from: "update-g", to: "generator", points: [[344, 698], [344, 88], [332, 88]] },
    { from: "orthogonal", to: "update-g", points: [[270, 772], [270, 752]] },
  ],
};
