// Reads the scale and zero point of 8-bit tensors from a .tflite file, because LiteRT.js does not return them. The file
// is a FlatBuffer: tables whose fields are found by number. The numbers are those of TFLite's schema.fbs.

const MODEL_SUBGRAPHS = 2;
const SUBGRAPH_TENSORS = 0;
const SUBGRAPH_INPUTS = 1;
const SUBGRAPH_OUTPUTS = 2;
const TENSOR_QUANTIZATION = 4;
const QUANTIZATION_SCALE = 2;
const QUANTIZATION_ZERO_POINT = 3;

/**
 * Reads the quantisation of the first input and the first output of a model.
 * @param {Uint8Array} content bytes of a .tflite file
 * @returns {{input: ?Quantization, output: ?Quantization}} null if not quantised; a stored number q stands for
 *     scale (q - zeroPoint)
 * @typedef {{scale: number, zeroPoint: number}} Quantization
 */
export function readQuantization(content) {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const subgraph = element(view, vector(view, follow(view, 0), MODEL_SUBGRAPHS), 0);
  const tensors = vector(view, subgraph, SUBGRAPH_TENSORS);
  const [input, output] = [SUBGRAPH_INPUTS, SUBGRAPH_OUTPUTS].map((list) => {
    const index = view.getInt32(vector(view, subgraph, list).start, true);
    return tensorQuantization(view, element(view, tensors, index));
  });
  return { input, output };
}

function tensorQuantization(view, tensor) {
  const at = field(view, tensor, TENSOR_QUANTIZATION);
  if (!at) return null;
  const scales = vector(view, follow(view, at), QUANTIZATION_SCALE);
  if (!scales.length) return null;
  const zeroPoints = vector(view, follow(view, at), QUANTIZATION_ZERO_POINT);
  const zeroPoint = zeroPoints.length ? Number(view.getBigInt64(zeroPoints.start, true)) : 0;
  return { scale: view.getFloat32(scales.start, true), zeroPoint };
}

/** Returns the position of a table's field, or 0 if the table has no field of that number. */
function field(view, table, number) {
  const fields = table - view.getInt32(table, true);
  const entry = 4 + 2 * number;
  const offset = entry < view.getUint16(fields, true) ? view.getUint16(fields + entry, true) : 0;
  return offset && table + offset;
}

/** Returns the position that an offset points to. */
function follow(view, at) {
  return at + view.getUint32(at, true);
}

/** Returns the position and number of the elements in a table's vector, or 0 and 0 if the table has none. */
function vector(view, table, number) {
  const at = field(view, table, number);
  if (!at) return { start: 0, length: 0 };
  const start = follow(view, at);
  return { start: start + 4, length: view.getUint32(start, true) };
}

/** Returns the position of one table in a vector of tables. */
function element(view, { start }, index) {
  return follow(view, start + 4 * index);
}
