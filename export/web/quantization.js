// How a .tflite file's 8-bit numbers are meant. LiteRT.js does not say, so it is read from the file, which is a
// FlatBuffer: tables whose fields are found by number. The numbers are those of TFLite's schema.fbs.

const MODEL_SUBGRAPHS = 2;
const SUBGRAPH_TENSORS = 0;
const SUBGRAPH_INPUTS = 1;
const SUBGRAPH_OUTPUTS = 2;
const TENSOR_QUANTIZATION = 4;
const QUANTIZATION_SCALE = 2;
const QUANTIZATION_ZERO_POINT = 3;

/**
 * Reads how the first input and the first output of a model are quantised.
 * @param {Uint8Array} content of a .tflite file
 * @returns {{input: ?Quantization, output: ?Quantization}} null for what is not quantised; a stored number q
 *     stands for scale (q - zeroPoint)
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

/** Where a table's field lies, or 0 if it has none of that number. */
function field(view, table, number) {
  const fields = table - view.getInt32(table, true);
  const entry = 4 + 2 * number;
  const offset = entry < view.getUint16(fields, true) ? view.getUint16(fields + entry, true) : 0;
  return offset && table + offset;
}

/** Where what an offset points to lies. */
function follow(view, at) {
  return at + view.getUint32(at, true);
}

/** Where the elements of a table's vector begin, and how many there are; 0 if the table does not have it. */
function vector(view, table, number) {
  const at = field(view, table, number);
  if (!at) return { start: 0, length: 0 };
  const start = follow(view, at);
  return { start: start + 4, length: view.getUint32(start, true) };
}

/** Where one table of a vector of tables lies. */
function element(view, { start }, index) {
  return follow(view, start + 4 * index);
}
