// Makes the images that the page shows and saves from an image and its foreground probability.

const DIM = 0.35; // brightness of the background in the overlay

/**
 * Draws the mask.
 * @param {ImageData} image
 * @param {Float32Array} probability [height, width] in [0, 1]
 * @param {number} threshold in [0, 1]
 * @returns {ImageData} white where the probability is above the threshold, else black
 */
export function maskOf(image, probability, threshold) {
  const isForeground = above(threshold);
  return compose(image, (data, at, pixel) => paintGrey(data, at, isForeground(probability[pixel]) ? 255 : 0));
}

/**
 * Shows the mask over the image.
 * @param {ImageData} image opaque
 * @param {Float32Array} probability [height, width] in [0, 1]
 * @param {number} threshold in [0, 1]
 * @returns {ImageData} the image, dim and grey where the probability is not above the threshold
 */
export function overlayOf(image, probability, threshold) {
  const isForeground = above(threshold);
  return compose(image, (data, at, pixel) => {
    if (!isForeground(probability[pixel])) paintGrey(data, at, (DIM * (data[at] + data[at + 1] + data[at + 2])) / 3);
  });
}

/**
 * Cuts the foreground out.
 * @param {ImageData} image opaque; if it has a property `alpha`, the white behind it is removed
 * @param {Float32Array} probability [height, width] in [0, 1]
 * @returns {ImageData} the image with the probability itself, without a threshold, as its alpha
 */
export function cutoutOf(image, probability) {
  const { alpha } = image;
  return compose(image, (data, at, pixel) => {
    if (alpha?.[pixel]) for (let c = at; c < at + 3; c++) data[c] = 255 - ((255 - data[c]) * 255) / alpha[pixel];
    data[at + 3] = Math.fround(probability[pixel] * 255);
  });
}

/**
 * Measures how much of the image the mask covers.
 * @param {Float32Array} probability [height, width] in [0, 1]
 * @param {number} threshold in [0, 1]
 * @returns {number} the share of pixels above the threshold, in [0, 1]
 */
export function coverage(probability, threshold) {
  const isForeground = above(threshold);
  let count = 0;
  for (let pixel = 0; pixel < probability.length; pixel++) if (isForeground(probability[pixel])) count++;
  return count / probability.length;
}

function paintGrey(data, at, value) {
  data[at] = data[at + 1] = data[at + 2] = value;
}

/** Compares in float32, like NumPy. */
function above(threshold) {
  const bound = Math.fround(threshold);
  return (value) => value > bound;
}

function compose(image, change) {
  const data = new Uint8ClampedArray(image.data); // this type rounds halves to the even number, like NumPy's rint
  for (let pixel = 0, at = 0; at < data.length; pixel++, at += 4) change(data, at, pixel);
  return new ImageData(data, image.width, image.height);
}
