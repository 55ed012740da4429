/** What this browser can do with H.264, the one video codec of the server. */

/** @param {RTCRtpCapabilities|null|undefined} capabilities */
const hasH264 = (capabilities) => Boolean(capabilities?.codecs.some((c) => c.mimeType.toLowerCase() === 'video/h264'));

export const hasWebRTC = () => typeof RTCPeerConnection === 'function';
export const canEncodeH264 = () => hasH264(globalThis.RTCRtpSender?.getCapabilities?.('video'));
export const canDecodeH264 = () => hasH264(globalThis.RTCRtpReceiver?.getCapabilities?.('video'));

/**
 * Offers H.264 and its retransmissions only, packetization mode 1 first. Browsers without
 * setCodecPreferences offer all they have, and the server picks.
 * @param {RTCRtpTransceiver} transceiver of kind video
 * @param {RTCRtpCapabilities|null} capabilities of its side
 */
export function preferH264(transceiver, capabilities) {
  if (!transceiver.setCodecPreferences || !hasH264(capabilities)) return;
  const h264 = capabilities.codecs.filter((c) => c.mimeType.toLowerCase() === 'video/h264');
  const mode1 = (c) => /packetization-mode=1/.test(c.sdpFmtpLine ?? '');
  h264.sort((a, b) => mode1(b) - mode1(a));
  const rtx = capabilities.codecs.filter((c) => c.mimeType.toLowerCase() === 'video/rtx');
  transceiver.setCodecPreferences([...h264, ...rtx]);
}
