// Reads the pixels of a file or a video like the edge command: upright, opaque 8-bit RGB.

/**
 * Reads an image file.
 * @param {Blob} file
 * @returns {Promise<ImageData>} as displayed: rotated as its EXIF data says, with white behind transparent parts. If
 *     there are any, its property `alpha` is a Uint8Array [height, width]
 * @throws {Error} the browser cannot read it
 */
export async function readImage(file) {
  let bitmap;
  try {
    // Like the edge command, this gives the model the values in the file, without applying a colour profile.
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image", colorSpaceConversion: "none" });
  } catch {
    throw new Error("this browser cannot read it as an image");
  }
  try {
    const image = pixelsOf(bitmap, bitmap.width, bitmap.height);
    return file.type === "image/jpeg" ? image : Object.assign(image, { alpha: alphaOf(bitmap) });
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

/** Returns the alpha of each pixel, or undefined if all are opaque. */
function alphaOf(bitmap) {
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
  const alpha = new Uint8Array(data.length / 4);
  for (let pixel = 0; pixel < alpha.length; pixel++) alpha[pixel] = data[pixel * 4 + 3];
  return alpha.some((value) => value < 255) ? alpha : undefined;
}

function pixelsOf(source, width, height) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(source, 0, 0);
  const image = context.getImageData(0, 0, width, height);
  // Some browsers silently leave a canvas empty if it exceeds their limit.
  if (image.data[3] !== 255) throw new Error(`${width} × ${height} pixels are too many for this browser`);
  return image;
}
