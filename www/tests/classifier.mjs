/** A logistic classifier of two kinds of images, fitted on real ones. */

/** Mean of the channels of RGBA bytes, each pixel in [0, 1], with a constant behind them. */
export const featuresOf = (rgba) => {
  const features = new Float64Array(rgba.length / 4 + 1).fill(1);
  for (let p = 0; p < rgba.length / 4; p++) {
    features[p] = (rgba[4 * p] + rgba[4 * p + 1] + rgba[4 * p + 2]) / 765;
  }
  return features;
};

const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);

/** Fits by gradient descent with weight decay; `labels` are 0 and 1. Returns the class of features. */
export function fitLogistic(features, labels, { steps = 300, rate = 0.5, decay = 1e-3 } = {}) {
  let weights = new Float64Array(features[0].length);
  for (let step = 0; step < steps; step++) {
    const gradient = weights.map((weight) => decay * weight);
    features.forEach((x, i) => {
      const error = 1 / (1 + Math.exp(-dot(weights, x))) - labels[i];
      x.forEach((value, j) => (gradient[j] += (error * value) / features.length));
    });
    weights = weights.map((weight, j) => weight - rate * gradient[j]);
  }
  return (x) => (dot(weights, x) > 0 ? 1 : 0);
}

/** Share of images that are taken for what they are. */
export const accuracy = (classify, features, labels) =>
  features.filter((x, i) => classify(x) === labels[i]).length / features.length;
