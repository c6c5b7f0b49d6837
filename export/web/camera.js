// Starts and stops the webcam.

const REASONS = {
  NotAllowedError: "permission was refused; the browser's address bar has the setting",
  NotFoundError: "none was found",
  NotReadableError: "another program uses it",
};

/**
 * Starts the webcam; on a phone, the camera at the back.
 * @returns {Promise<{video: HTMLVideoElement, stop: function(): void}>} the playing video
 * @throws {Error} the message says why there is no video
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
