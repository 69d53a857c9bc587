/** A logistic classifier of images, fitted on real ones. */

/** Colours of RGBA bytes, each in [0, 1], with a constant behind them. */
export const featuresOf = (rgba) => {
  const features = new Float64Array((rgba.length / 4) * 3 + 1).fill(1);
  for (let p = 0; p < rgba.length / 4; p++) {
    for (let channel = 0; channel < 3; channel++) features[3 * p + channel] = rgba[4 * p + channel] / 255;
  }
  return features;
};

const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);

/** Fits softmax regression by gradient descent with weight decay. Returns the class of features. */
export function fitLogistic(features, labels, { steps = 300, rate = 0.5, decay = 1e-3 } = {}) {
  const classes = Math.max(...labels) + 1;
  const rows = Array.from({ length: classes }, () => new Float64Array(features[0].length));
  for (let step = 0; step < steps; step++) {
    const gradients = rows.map((weights) => weights.map((weight) => decay * weight));
    features.forEach((x, i) => {
      const scores = rows.map((weights) => dot(weights, x));
      const most = Math.max(...scores);
      const powers = scores.map((score) => Math.exp(score - most));
      const sum = powers.reduce((total, power) => total + power, 0);
      powers.forEach((power, c) => {
        const error = (power / sum - Number(labels[i] === c)) / features.length;
        const gradient = gradients[c];
        for (let j = 0; j < x.length; j++) gradient[j] += error * x[j];
      });
    });
    rows.forEach((weights, c) => weights.forEach((_, j) => (weights[j] -= rate * gradients[c][j])));
  }
  return (x) => {
    const scores = rows.map((weights) => dot(weights, x));
    return scores.indexOf(Math.max(...scores));
  };
}

/** Share of images that are taken for what they are. */
export const accuracy = (classify, features, labels) =>
  features.filter((x, i) => classify(x) === labels[i]).length / features.length;
