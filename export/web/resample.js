// Resizes exactly like Pillow's Image.resize(size, BILINEAR). A canvas cannot replace it: its scaling differs between
// browsers and skips pixels when it shrinks an image, so masks would differ from the edge command's.

const WEIGHT_STEPS = 2 ** 22; // Pillow rounds the weights of 8-bit pixels to 1 / 2 ** 22

/**
 * Resizes 8-bit pixels.
 * @param {Uint8Array|Uint8ClampedArray} pixels [height, width, channels]
 * @param {{width: number, height: number, channels: number}} from
 * @param {{width: number, height: number}} to
 * @returns {Uint8Array} [to.height, to.width, channels]
 */
export function resizePixels(pixels, from, to) {
  const roundWeight = (weight) => Math.floor(0.5 + weight * WEIGHT_STEPS) / WEIGHT_STEPS;
  const offset = 0.5; // rounds, because a Uint8Array truncates
  return resize(pixels, from, to, { ArrayType: Uint8Array, roundWeight, offset });
}

/**
 * Resizes numbers.
 * @param {Float32Array} values [height, width]
 * @param {{width: number, height: number}} from
 * @param {{width: number, height: number}} to
 * @returns {Float32Array} [to.height, to.width]
 */
export function resizeFloats(values, from, to) {
  const kind = { ArrayType: Float32Array, roundWeight: (weight) => weight, offset: 0 };
  return resize(values, { ...from, channels: 1 }, to, kind);
}

function resize(source, from, to, kind) {
  const { width, height, channels } = from;
  // With 8 bits the order changes the result. Like Pillow, this resizes the height first if that is less work.
  if (height - to.height > Math.max(0, 2 * (width - to.width))) {
    const flat = resizeAxis(source, [1, height, width * channels], to.height, kind);
    return resizeAxis(flat, [to.height, width, channels], to.width, kind);
  }
  const narrow = resizeAxis(source, [height, width, channels], to.width, kind);
  return resizeAxis(narrow, [1, height, to.width * channels], to.height, kind);
}

/** Resizes the middle axis of a [outer, length, inner] array to `newLength`. */
function resizeAxis(source, [outer, length, inner], newLength, { ArrayType, roundWeight, offset }) {
  const result = new ArrayType(outer * newLength * inner);
  const sums = new Float64Array(inner);
  const means = triangleMeans(length, newLength, roundWeight);
  for (let block = 0, target = 0; block < outer; block++) {
    for (const { start, weights } of means) {
      sums.fill(offset);
      let position = (block * length + start) * inner;
      for (const weight of weights) {
        for (let i = 0; i < inner; i++) sums[i] += weight * source[position++];
      }
      result.set(sums, target);
      target += inner;
    }
  }
  return result;
}

/** Returns for each of `newLength` pixels the weights of the old pixels from `start` on. The weights sum to 1. */
function triangleMeans(length, newLength, roundWeight) {
  const scale = length / newLength;
  const reach = Math.max(scale, 1);
  return Array.from({ length: newLength }, (_, place) => {
    const centre = (place + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - reach + 0.5));
    const end = Math.min(length, Math.trunc(centre + reach + 0.5));
    const heights = Float64Array.from({ length: end - start }, (_, i) =>
      Math.max(0, 1 - Math.abs((start + i - centre + 0.5) * (1 / reach))),
    );
    const total = heights.reduce((sum, height) => sum + height);
    return { start, weights: heights.map((height) => roundWeight(height / total)) };
  });
}
