// Connects the controls of the page to the model and shows the results.

import { startCamera } from "./camera.js";
import { coverage, cutoutOf, maskOf, overlayOf } from "./layers.js";
import { openModel } from "./model.js";
import { readBytes, readFrame, readImage } from "./pixels.js";
import { foregroundProbability } from "./segmenter.js";

const DEFAULT_MODEL = "segmenter_float32.tflite";
const NO_MODEL = "There is no model yet: choose a .tflite file under “Model”";

const page = Object.fromEntries([...document.querySelectorAll("[id]")].map((element) => [element.id, element]));

/** The model, the image with its name and foreground probability, and the running camera. Null until there is one. */
const state = { model: null, image: null, name: "", probability: null, camera: null };

let work = Promise.resolve();

/** Runs a task after the tasks before it, because a model handles one image at a time. Shows the task's error. */
function enqueue(task) {
  work = work.then(task).catch((error) => say(`${error.message}.`, { isError: true }));
  return work;
}

function say(text, { isError = false } = {}) {
  page.status.textContent = text;
  page.status.classList.toggle("error", isError);
}

/** Adds the subject to the message of an error. */
async function naming(subject, promise) {
  try {
    return await promise;
  } catch (error) {
    throw new Error(`${subject}: ${error.message}`, { cause: error });
  }
}

// The model ---------------------------------------------------------------------------------------------

async function fetchModel(address) {
  const url = new URL(address.replaceAll("#", "%23"), location.href); // a file's name may hold a #
  if (url.origin !== location.origin) throw new Error(`Model ${address}: it must lie on this page's own server`);
  say(`Loading ${address}…`);
  const response = await naming(`Model ${address}`, fetch(url));
  if (!response.ok) throw new Error(`${NO_MODEL}; the server has no ${address}`);
  await useModel(address, response);
}

/** Uses the model in a file or a response of the server. */
async function useModel(name, source) {
  const model = await naming(`Model ${name}`, readBytes(source).then(openModel));
  state.model?.close();
  state.model = model;
  page.modelName.textContent = `${name}, ${model.resolution} × ${model.resolution} pixels`;
  say("Ready for an image.");
  if (state.image && !state.camera) await segmentAndSay(state.image, state.name);
}

// Images ----------------------------------------------------------------------------------------------

async function useImage(file) {
  stopCamera();
  await segmentAndSay(await naming(file.name, readImage(file)), file.name);
}

async function segmentAndSay(image, name) {
  await segment(image, name);
  if (!state.model) throw new Error(NO_MODEL);
  say(`${name}: the foreground covers ${coverageText()} of the image.`);
}

/** Segments an image and shows the result. Without a model it shows the image only. */
async function segment(image, name) {
  const start = performance.now();
  const probability = state.model && (await foregroundProbability(image, state.model));
  const milliseconds = Math.round(performance.now() - start);
  Object.assign(state, { image, name, probability });
  draw(page.image, image);
  if (probability) {
    draw(page.cutout, cutoutOf(image, probability));
    showMask();
    page.latency.textContent = `${image.width} × ${image.height} pixels, segmented in ${milliseconds} ms`;
  }
  page.maskFigure.hidden = page.cutoutFigure.hidden = !probability;
  page.results.hidden = false;
}

function showMask() {
  draw(page.overlay, overlayOf(state.image, state.probability, page.threshold.valueAsNumber));
  page.coverage.textContent = coverageText();
}

function draw(canvas, image) {
  Object.assign(canvas, { width: image.width, height: image.height });
  canvas.style.setProperty("--aspect", image.width / image.height);
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function coverageText() {
  return `${(100 * coverage(state.probability, page.threshold.valueAsNumber)).toFixed(1)}\u00a0%`;
}

// The camera --------------------------------------------------------------------------------------------

async function toggleCamera() {
  if (state.camera) return stopCamera();
  say("Starting the camera…");
  state.camera = await naming("Camera", startCamera());
  page.camera.textContent = "Stop the camera";
  say(state.model ? "The camera runs." : `${NO_MODEL}.`, { isError: !state.model });
  segmentFrames(state.camera);
}

function stopCamera() {
  if (!state.camera) return;
  state.camera.stop();
  state.camera = null;
  page.camera.textContent = "Start the camera";
  say("The camera is off.");
}

async function segmentFrames(camera) {
  while (state.camera === camera) {
    await enqueue(async () => {
      if (state.camera !== camera) return; // the camera was stopped meanwhile, and another image may be shown
      await segment(readFrame(camera.video), "camera");
    });
    await new Promise(requestAnimationFrame); // never resolves in a hidden tab, which pauses the camera
  }
}

// The controls -------------------------------------------------------------------------------------------

/** Saves a result as a PNG named after the image. */
async function save(image, kind) {
  const canvas = new OffscreenCanvas(image.width, image.height);
  canvas.getContext("2d").putImageData(image, 0, 0);
  const address = URL.createObjectURL(await canvas.convertToBlob());
  const download = `${state.name.replace(/\.[^.]+$/, "")}_${kind}.png`;
  Object.assign(document.createElement("a"), { href: address, download }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000); // the browser reads it late if it asks the user first
}

function takeFile({ files }, otherwise) {
  if (files.length) enqueue(() => useImage(files[0]));
  else say(otherwise, { isError: true });
}

page.file.addEventListener("change", () => page.file.files.length && takeFile(page.file));
page.model.addEventListener("change", () => {
  const [file] = page.model.files;
  if (file) enqueue(() => useModel(file.name, file));
});
page.camera.addEventListener("click", () => enqueue(toggleCamera));
page.threshold.addEventListener("input", () => {
  page.thresholdValue.textContent = page.threshold.valueAsNumber.toFixed(2);
  if (state.probability) showMask();
});
page.saveMask.addEventListener("click", () =>
  enqueue(() => save(maskOf(state.image, state.probability, page.threshold.valueAsNumber), "mask")),
);
page.saveCutout.addEventListener("click", () =>
  enqueue(() => save(cutoutOf(state.image, state.probability), "cutout")),
);

addEventListener("paste", (event) => takeFile(event.clipboardData, "The clipboard holds no image."));
addEventListener("dragover", (event) => {
  event.preventDefault(); // otherwise the browser opens the dropped file
  page.controls.classList.add("dragging");
});
addEventListener("dragleave", () => page.controls.classList.remove("dragging"));
addEventListener("drop", (event) => {
  event.preventDefault();
  page.controls.classList.remove("dragging");
  takeFile(event.dataTransfer, "What you dropped is not a file.");
});

enqueue(() => fetchModel(new URLSearchParams(location.search).get("model") ?? DEFAULT_MODEL));
