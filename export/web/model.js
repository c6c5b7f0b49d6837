// Runs an exported segmenter with LiteRT.js on the CPU, where its output equals that of the edge command.

import { readFit } from "./facts.js";
import { readQuantization } from "./quantization.js";

const WASM = "runtime/core/wasm/";

let runtime; // the promise of LiteRT.js, which can be loaded only once

/**
 * Loads a model.
 * @param {Uint8Array} content bytes of a .tflite file
 * @returns {Promise<Model>}
 * @throws {Error} LiteRT.js is missing, or the file is no segmenter
 * @typedef {object} Model
 * @property {number} resolution R
 * @property {string} fit how it sees a whole image, "squeeze" or "pad", see `readFit`
 * @property {function(Uint8Array): Promise<Float32Array>} predict from [R, R, rgb] to the foreground probability
 *     [R, R] in [0, 1]
 * @property {function(): void} close frees the model's memory
 */
export async function openModel(content) {
  const litert = await loadRuntime();
  if (String.fromCharCode(...content.subarray(4, 8)) !== "TFL3") throw new Error(`it is ${describe(content)}`);
  const compiled = await litert.loadAndCompile(content, { accelerator: "wasm" }).catch((error) => {
    throw new Error(`LiteRT.js cannot load it (${error.message ?? error})`);
  });
  try {
    const resolution = checkModel(compiled);
    const quantization = readQuantization(content);
    const predict = async (pixels) => {
      const stored = quantize(pixels, quantization.input);
      return dequantize(await run(litert, compiled, stored, resolution), quantization.output);
    };
    return { resolution, fit: readFit(content), predict, close: () => compiled.delete() };
  } catch (error) {
    compiled.delete();
    throw error;
  }
}

/** Describes a file that is no .tflite file. Some servers send a page of their own instead of a file that they lack. */
function describe(content) {
  const start = new TextDecoder().decode(content.subarray(0, 64)).trimStart().toLowerCase();
  if (!content.length) return "empty";
  if (start.startsWith("<!doctype html") || start.startsWith("<html")) return "a web page (HTML), no .tflite file";
  if (start.startsWith("version https://git-lfs")) return "a Git LFS pointer instead of the file: run git lfs pull";
  return "no .tflite file";
}

function loadRuntime() {
  runtime ??= import("@litertjs/core").then(
    async (litert) => {
      await litert.loadLiteRt(WASM);
      return litert;
    },
    () => {
      throw new Error("LiteRT.js is not beside this page; run “npm ci” in its folder, then load the page again");
    },
  );
  return runtime;
}

function checkModel(compiled) {
  const [inputs, outputs] = [compiled.getInputDetails(), compiled.getOutputDetails()];
  const resolution = inputs[0].shape[1];
  const expected = `uint8 [1,${resolution},${resolution},3] and [1,${resolution},${resolution},1]`;
  const found = `${inputs[0].dtype} ${[...inputs, ...outputs].map(({ shape }) => `[${shape}]`).join(" and ")}`;
  if (found !== expected) {
    throw new Error(`it is no segmenter: its tensors must be uint8 [1,R,R,3] and [1,R,R,1], got ${found}`);
  }
  return resolution;
}

async function run(litert, compiled, pixels, resolution) {
  const input = new litert.Tensor(pixels, [1, resolution, resolution, 3]);
  try {
    const [output] = await compiled.run(input);
    const values = output.toTypedArray();
    output.delete();
    return values;
  } finally {
    input.delete();
  }
}

function quantize(pixels, quantization) {
  if (!quantization) return pixels;
  const stored = Uint8ClampedArray.from(pixels, (pixel) => pixel / quantization.scale + quantization.zeroPoint);
  return new Uint8Array(stored.buffer); // the clamped type rounds and clips, but LiteRT.js accepts only the plain one
}

function dequantize(values, quantization) {
  if (!quantization) return values;
  return Float32Array.from(values, (value) => (value - quantization.zeroPoint) * quantization.scale);
}
