import {preferH264} from './codecs.js';
import {MediaSession} from './session.js';

/**
 * Publishes one stream: Opus and, if asked for, H.264.
 *
 *     const publisher = new WhipPublisher('/alice/whip', {audio, video});
 *     await publisher.open();
 *     …
 *     await publisher.close();
 */
export class WhipPublisher extends MediaSession {
  /** @type {RTCRtpSender|undefined} */
  #audio;
  /** @type {RTCRtpSender|undefined} */
  #video;

  /**
   * @param {string} endpoint
   * @param {object} media
   * @param {MediaStreamTrack} [media.audio]
   * @param {MediaStreamTrack} [media.video]
   * @param {boolean} [media.offerVideo] negotiate video even if there is none yet, so that
   *   setVideo works later; by default if there is a track
   * @param {number} [media.maxVideoBitrate] in bit/s
   * @param {object} [options] of MediaSession
   */
  constructor(endpoint, {audio, video, offerVideo = Boolean(video), maxVideoBitrate = 900_000}, options) {
    super(endpoint, options);
    const streams = [new MediaStream([audio, video].filter(Boolean))];
    if (audio) this.#audio = this.pc.addTransceiver(audio, {direction: 'sendonly', streams}).sender;
    if (offerVideo) {
      const transceiver = this.pc.addTransceiver(video ?? 'video', {
        direction: 'sendonly', streams, sendEncodings: [{maxBitrate: maxVideoBitrate}],
      });
      preferH264(transceiver, RTCRtpSender.getCapabilities('video'));
      this.#video = transceiver.sender;
    }
  }

  /** Whether video was negotiated. */
  get hasVideo() {
    return Boolean(this.#video);
  }

  /** @param {MediaStreamTrack|null} track sent from now on; null: nothing */
  setAudio(track) {
    return this.#audio?.replaceTrack(track);
  }

  /** @param {MediaStreamTrack|null} track sent from now on; null: nothing */
  setVideo(track) {
    return this.#video?.replaceTrack(track);
  }
}
