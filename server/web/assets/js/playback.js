/**
 * Plays a stream with sound. If the browser wants a click first, the picture plays without
 * sound meanwhile.
 * @param {HTMLVideoElement} video
 * @param {MediaStream} stream
 * @returns {Promise<boolean>} whether it can be heard
 */
export async function playAloud(video, stream) {
  if (video.srcObject !== stream) video.srcObject = stream;
  video.muted = false;
  try {
    await video.play();
  } catch (err) {
    if (err.name !== 'NotAllowedError') return true; // a newer stream took over
    video.muted = true;
    video.play().catch(() => {});
  }
  return !video.muted;
}
