// The webcam.

const REASONS = {
  NotAllowedError: "permission was refused; the browser's address bar has the setting",
  NotFoundError: "none was found",
  NotReadableError: "another program uses it",
};

/**
 * Starts the webcam, on a phone the one at the back.
 * @returns {Promise<{video: HTMLVideoElement, stop: function(): void}>} the video, playing
 * @throws {Error} says in words why there is none
 */
export async function startCamera() {
  if (!navigator.mediaDevices) throw new Error("browsers allow it on https and on localhost only");
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch (error) {
    throw new Error(REASONS[error.name] ?? error.message);
  }
  const video = document.createElement("video");
  video.muted = video.playsInline = true;
  video.srcObject = stream;
  await video.play();
  return { video, stop: () => stream.getTracks().forEach((track) => track.stop()) };
}
