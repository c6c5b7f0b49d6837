// Pixels of a file or of a video, as the edge command reads them: upright, opaque 8-bit RGB.

/**
 * Reads a picture file.
 * @param {Blob} file
 * @returns {Promise<ImageData>} as displayed: an EXIF rotation is carried out, transparency is laid over white
 * @throws {Error} the browser cannot read it
 */
export async function readPicture(file) {
  let bitmap;
  try {
    // The edge command hands the model the numbers in the file, too, not what a colour profile makes of them.
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image", colorSpaceConversion: "none" });
  } catch {
    throw new Error("it is no picture that this browser can read");
  }
  try {
    return pixelsOf(bitmap, bitmap.width, bitmap.height);
  } finally {
    bitmap.close();
  }
}

/**
 * Reads the frame that a video shows.
 * @param {HTMLVideoElement} video
 * @returns {ImageData}
 */
export function readFrame(video) {
  return pixelsOf(video, video.videoWidth, video.videoHeight);
}

function pixelsOf(source, width, height) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(source, 0, 0);
  const picture = context.getImageData(0, 0, width, height);
  // Some browsers leave a canvas that is beyond their limit empty, and say nothing.
  if (picture.data[3] !== 255) throw new Error(`${width} × ${height} pixels are too many for this browser`);
  return picture;
}
