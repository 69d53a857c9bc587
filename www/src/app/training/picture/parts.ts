/** The parts of a step, each in two sentences; sections refer to Brock, Donahue and Simonyan 2018. */

export const PARTS = [
  "latents",
  "classes",
  "generator",
  "fakes",
  "reals",
  "discriminator",
  "scores",
  "loss",
  "update-d",
  "update-g",
  "orthogonal",
  "average",
] as const;

export type Part = (typeof PARTS)[number];

export interface Explanation {
  title: string;
  /** Two sentences. */
  text: string;
}

export const EXPLANATIONS: Record<Part, Explanation> = {
  latents: {
    title: "Noise z",
    text:
      "Each fake starts from its own random numbers, drawn from a normal distribution. " +
      "One chunk of them feeds the first layer and one chunk feeds each block (“skip-z”, section 3; the choice of distribution: section 3.1 and appendix E).",
  },
  classes: {
    title: "Class y",
    text:
      "Both networks are told which class an image should show. " +
      "G turns the class into one shared embedding that sets the gains and biases of every batch normalisation, and D compares it with what it sees (section 3).",
  },
  generator: {
    title: "Generator G",
    text:
      "G makes an image out of noise and class: each residual block doubles the side, from 4×4 pixels up. " +
      "Its blocks are those of appendix B, figure 15, and widening it by half raised the Inception Score by a fifth (section 3).",
  },
  fakes: {
    title: "Fakes G(z, y)",
    text:
      "A batch of images that G has made, as many as there are real images. " +
      "Larger batches cover more of the data; going from 256 to 2,048 was the largest gain of section 3.",
  },
  reals: {
    title: "Real images x",
    text:
      "A batch of the chosen images with their classes, cropped to a square and resized. " +
      "D memorises them: it is 98 % right on training images, hardly better than chance on others (section 4.2).",
  },
  discriminator: {
    title: "Discriminator D",
    text:
      "D gives every image a score, high for real and low for fake: blocks shrink the image, then the class enters by projection (section 3; appendix B, figure 15). " +
      "Spectral normalisation divides each weight by its largest singular value, so that D cannot become arbitrarily steep; section 4.2 studies these values.",
  },
  scores: {
    title: "Scores of D",
    text:
      "Above 0 D takes an image for real, below 0 for a fake. " +
      "While G learns, the two means come closer; if they drift far apart, D has won for now, the imbalance that section 4 studies.",
  },
  loss: {
    title: "Hinge loss",
    text:
      "D is penalised for real images below 1 and for fakes above −1, and G for low scores of its fakes. " +
      "It is the loss of SA-GAN, the baseline that section 3 starts from.",
  },
  "update-d": {
    title: "Gradient and Adam: D learns",
    text:
      "The gradient says how each weight of D should move to lower its loss, and Adam moves it. " +
      "In the paper D takes two steps for each step of G, with a larger rate than G's (section 3; appendix C).",
  },
  "update-g": {
    title: "Gradient and Adam: G learns",
    text:
      "The gradient runs back through D, which stays as it is, into G: it tells each pixel how to look more real to D. " +
      "Adam then moves the weights of G, with beta1 = 0 and a small rate (section 3; appendix C).",
  },
  orthogonal: {
    title: "Orthogonal regularisation",
    text:
      "A small penalty keeps the filters of a layer of G from pointing the same way, without fixing their lengths. " +
      "With it more models are amenable to truncation: 60 % instead of 16 % (section 3.1).",
  },
  average: {
    title: "Average of G",
    text:
      "A slow moving average of G's weights draws the sample grid and is what is exported, since it is steadier than G itself. " +
      "The paper averages with a decay of 0.9999 (section 3; appendix C); short runs here use a smaller decay.",
  },
};
