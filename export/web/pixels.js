// Reads the pixels of a file or a video like the edge command: upright, opaque 8-bit RGB.

const PNG = "\x89PNG\r\n\x1a\n";
const PNG_BIT_DEPTH = 24; // the position of this byte in the file
const LEAST_OF_16_BITS = 64; // a smaller largest high byte means 14 bits or fewer, see edge_segmenter/files/bit_depth.py

/**
 * Reads an image file.
 * @param {Blob} file
 * @returns {Promise<ImageData>} as displayed: rotated as its EXIF data says, with white behind transparent parts. If
 *     there are any, its property `alpha` is a Uint8Array [height, width]
 * @throws {Error} the file has gone, or the browser cannot read it
 */
export async function readImage(file) {
  const content = await readBytes(file);
  let bitmap;
  try {
    // Like the edge command, this gives the model the values in the file, without applying a colour profile.
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image", colorSpaceConversion: "none" });
  } catch {
    throw new Error("this browser cannot read it as an image");
  }
  try {
    const image = pixelsOf(bitmap, bitmap.width, bitmap.height);
    if (file.type === "image/jpeg") return image;
    const { data } = draw(bitmap, bitmap.width, bitmap.height);
    if (is16BitPng(content)) checkBits(data);
    return Object.assign(image, { alpha: alphaOf(data) });
  } finally {
    bitmap.close();
  }
}

/**
 * Reads the current frame of a video.
 * @param {HTMLVideoElement} video
 * @returns {ImageData}
 */
export function readFrame(video) {
  return pixelsOf(video, video.videoWidth, video.videoHeight);
}

/**
 * Reads the bytes of a file or of a server's response.
 * @param {Blob|Response} source
 * @returns {Promise<Uint8Array>}
 * @throws {Error} the file was deleted or changed after it was chosen, or the connection broke
 */
export async function readBytes(source) {
  try {
    return new Uint8Array(await source.arrayBuffer());
  } catch {
    throw new Error("it cannot be read to its end; was it moved, or has it changed?");
  }
}

function is16BitPng(content) {
  return content[PNG_BIT_DEPTH] === 16 && String.fromCharCode(...content.subarray(0, PNG.length)) === PNG;
}

/** Refuses 16-bit images with 8- to 14-bit values. The browser keeps only the high byte, so they are nearly black. */
function checkBits(data) {
  if (data.some((value, i) => i % 4 < 3 && value >= LEAST_OF_16_BITS)) return;
  throw new Error("it has 16 bits but uses fewer, so browsers show it nearly black: save it with 8 bits");
}

/** Returns the alpha of each pixel, or undefined if all are opaque. */
function alphaOf(data) {
  const alpha = new Uint8Array(data.length / 4);
  for (let pixel = 0; pixel < alpha.length; pixel++) alpha[pixel] = data[pixel * 4 + 3];
  return alpha.some((value) => value < 255) ? alpha : undefined;
}

function pixelsOf(source, width, height) {
  const image = draw(source, width, height, "white");
  // Some browsers silently leave a canvas empty if it exceeds their limit.
  if (image.data[3] !== 255) throw new Error(`${width} × ${height} pixels are too many for this browser`);
  return image;
}

/** Returns the pixels of an image or a video, drawn over a colour or over nothing. */
function draw(source, width, height, backdrop = "transparent") {
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.fillStyle = backdrop;
  context.fillRect(0, 0, width, height);
  context.drawImage(source, 0, 0);
  return context.getImageData(0, 0, width, height);
}
