// Prepares an image for the model and resizes its output, like edge_segmenter/fit.py.

import { resizeFloats, resizePixels } from "./resample.js";

/**
 * Computes the foreground probability at the image's own size.
 * @param {ImageData} image opaque; with a property `alpha`, Uint8Array [height, width], the probability is multiplied by it
 * @param {{resolution: number, fit: string, predict: function(Uint8Array): Promise<Float32Array>}} model see model.js
 * @returns {Promise<Float32Array>} [height, width] in [0, 1]
 */
export async function foregroundProbability(image, { resolution, fit, predict }) {
  const { pixels, filled } = toSquare(image, resolution, fit);
  const small = crop(await predict(pixels), resolution, filled);
  const probability = resizeFloats(small, filled, image);
  const { alpha } = image;
  for (let i = 0; i < probability.length; i++) {
    probability[i] = clamp(probability[i], 1) * (alpha ? alpha[i] / 255 : 1);
  }
  return probability;
}

/**
 * Fits an image into a square.
 * @param {ImageData} image opaque
 * @param {number} resolution the square's side
 * @param {string} fit "squeeze" loses the aspect ratio; "pad" keeps it and fills the rest by repeating the edge pixels
 * @returns {{pixels: Uint8Array, filled: {left: number, top: number, width: number, height: number}}} pixels
 *     [resolution, resolution, rgb], and the part of them that is the image
 */
export function toSquare(image, resolution, fit) {
  const filled = filledPart(image, resolution, fit);
  const small = resizePixels(image.data, { width: image.width, height: image.height, channels: 4 }, filled);
  const pixels = new Uint8Array(resolution * resolution * 3);
  for (let y = 0, target = 0; y < resolution; y++) {
    const row = clamp(y - filled.top, filled.height - 1);
    for (let x = 0; x < resolution; x++, target += 3) {
      const source = (row * filled.width + clamp(x - filled.left, filled.width - 1)) * 4;
      pixels.set(small.subarray(source, source + 3), target);
    }
  }
  return { pixels, filled };
}

function filledPart({ width, height }, resolution, fit) {
  if (fit === "squeeze") return { left: 0, top: 0, width: resolution, height: resolution };
  const longest = Math.max(width, height);
  const [newWidth, newHeight] = [width, height].map((side) => Math.max(1, roundToEven((side * resolution) / longest)));
  const [left, top] = [newWidth, newHeight].map((side) => Math.floor((resolution - side) / 2));
  return { left, top, width: newWidth, height: newHeight };
}

function crop(values, resolution, { left, top, width, height }) {
  const result = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const start = (top + y) * resolution + left;
    result.set(values.subarray(start, start + width), y * width);
  }
  return result;
}

/** Rounds halves to the even number, like Python's round. */
function roundToEven(value) {
  const floor = Math.floor(value);
  return value - floor === 0.5 ? floor + (floor % 2) : Math.round(value);
}

function clamp(value, highest) {
  return Math.min(Math.max(value, 0), highest);
}
