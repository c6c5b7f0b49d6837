// Reads the scale and zero point of 8-bit tensors from a .tflite file, because LiteRT.js does not return them. The numbers
// of the fields are those of TFLite's schema.fbs.

import { element, field, follow, root, vector } from "./flatbuffer.js";

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
  const { view, table } = root(content);
  const subgraph = element(view, vector(view, table, MODEL_SUBGRAPHS), 0);
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
