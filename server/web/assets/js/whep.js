import {preferH264} from './codecs.js';
import {MediaSession} from './session.js';

/**
 * Plays tracks of a room.
 *
 *     const player = new WhepPlayer(whepUrl('meeting', 'v1a3'), {video: true});
 *     element.srcObject = player.stream;
 *     await player.open();
 *     …
 *     await player.close();
 */
export class WhepPlayer extends MediaSession {
  /** What is received, filled as tracks come. */
  stream = new MediaStream();

  /**
   * @param {string} endpoint
   * @param {{video: boolean}} kinds
   * @param {object} [options] of MediaSession
   */
  constructor(endpoint, {video}, options) {
    super(endpoint, options);
    this.pc.addEventListener('track', ({track}) => this.stream.addTrack(track));
    this.pc.addTransceiver('audio', {direction: 'recvonly'});
    if (video) {
      const transceiver = this.pc.addTransceiver('video', {direction: 'recvonly'});
      preferH264(transceiver, RTCRtpReceiver.getCapabilities('video'));
    }
  }
}

/**
 * The endpoint that plays tracks of a room.
 * @param {string} room
 * @param {string} tracks like v1a3
 */
export const whepUrl = (room, tracks) => `/${encodeURIComponent(room)}/whep?filter.tracks=${encodeURIComponent(tracks)}`;
