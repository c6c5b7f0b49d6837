// Reads the facts that an exported .tflite file holds about itself, like edge_segmenter/facts.py. The numbers of the fields
// are those of TFLite's schema.fbs.

import { element, field, root, vector } from "./flatbuffer.js";

const ENTRY = "tf_layered_gan.json";
const FITS = ["crop", "squeeze", "pad"];
const MODEL_BUFFERS = 4;
const MODEL_METADATA = 6;
const METADATA_NAME = 0;
const METADATA_BUFFER = 1;
const BUFFER_DATA = 0;

/**
 * Reads how the model sees a whole image, like `fit_for_whole_photos` in edge_segmenter/fit.py.
 * @param {Uint8Array} content bytes of a .tflite file
 * @returns {string} "squeeze" if the model learned from squeezed photos, otherwise "pad"
 * @throws {Error} the file names an unknown fit
 */
export function readFit(content) {
  const fit = readFacts(content)?.training?.fit;
  if (fit !== undefined && !FITS.includes(fit)) {
    throw new Error(`its fit is ${JSON.stringify(fit)}, allowed: ${FITS.join(", ")}`);
  }
  return fit === "squeeze" ? "squeeze" : "pad";
}

/** Returns the facts, or undefined if the file has none. */
function readFacts(content) {
  const { view, table } = root(content);
  const entries = vector(view, table, MODEL_METADATA);
  for (let i = 0; i < entries.length; i++) {
    const entry = element(view, entries, i);
    if (text(content, vector(view, entry, METADATA_NAME)) === ENTRY) {
      const at = field(view, entry, METADATA_BUFFER); // absent for buffer 0, which is always empty
      const buffer = element(view, vector(view, table, MODEL_BUFFERS), at && view.getUint32(at, true));
      return JSON.parse(text(content, vector(view, buffer, BUFFER_DATA)));
    }
  }
  return undefined;
}

function text(content, { start, length }) {
  return new TextDecoder().decode(content.subarray(start, start + length));
}
