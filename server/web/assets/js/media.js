/** Camera and microphone. */

import {canEncodeH264} from './codecs.js';

const AUDIO = {echoCancellation: true, noiseSuppression: true, autoGainControl: true};
/** A cell of a mosaic is small: more than this is scaled down by the server anyway. */
const VIDEO = {width: {ideal: 640}, height: {ideal: 360}, frameRate: {ideal: 25, max: 30}};

/** Browsers offer devices to https pages and to localhost only. */
export const hasDevices = () => Boolean(navigator.mediaDevices?.getUserMedia);

/** The camera and the microphone of this page, and which of them a person chose. */
export class LocalMedia {
  /** @type {MediaStreamTrack|undefined} */
  audio;
  /** @type {MediaStreamTrack|undefined} */
  video;
  /** Why there is no microphone or camera, if it was asked for. @type {{audio?: Error, video?: Error}} */
  errors = {};
  #cameraId;
  #micId;

  /** Whether there is anything to publish. */
  get any() {
    return Boolean(this.audio || this.video);
  }

  /**
   * Opens what is not open yet. Never throws: see errors.
   * @param {{video: boolean}} wanted the microphone always is
   */
  async open({video}) {
    if (!hasDevices()) return;
    const wants = {audio: !this.audio, video: video && !this.video && canEncodeH264()};
    if (!wants.audio && !wants.video) return;
    this.errors = {};
    try {
      this.#take(await this.#ask(wants));
      return;
    } catch (err) {
      if (wants.audio !== wants.video) {
        this.errors[wants.audio ? 'audio' : 'video'] = err;
        return;
      }
    }
    // Both at once fail if one is missing or refused. Which?
    for (const kind of ['audio', 'video']) {
      try {
        this.#take(await this.#ask({audio: kind === 'audio', video: kind === 'video'}));
      } catch (err) {
        this.errors[kind] = err;
      }
    }
  }

  /**
   * Opens another device in place of the one in use.
   * @param {'audio'|'video'} kind
   * @param {string} id of the device
   */
  async choose(kind, id) {
    if (kind === 'audio') this.#micId = id;
    else this.#cameraId = id;
    const was = this[kind];
    this.stop(kind); // before: not every system opens two cameras at once
    try {
      this.#take(await this.#ask({audio: kind === 'audio', video: kind === 'video'}));
      if (was) this[kind].enabled = was.enabled;
      delete this.errors[kind];
    } catch (err) {
      this.errors[kind] = err;
    }
  }

  /**
   * Closes a device, so that its light goes out.
   * @param {'audio'|'video'} [kind] both if absent
   */
  stop(kind) {
    for (const k of kind ? [kind] : ['audio', 'video']) {
      this[k]?.stop();
      this[k] = undefined;
    }
  }

  /** @returns {Promise<MediaDeviceInfo[]>} */
  async devices() {
    return hasDevices() ? navigator.mediaDevices.enumerateDevices() : [];
  }

  #ask({audio, video}) {
    const device = (id) => (id ? {deviceId: {exact: id}} : {});
    return navigator.mediaDevices.getUserMedia({
      audio: audio && {...AUDIO, ...device(this.#micId)},
      video: video && {...VIDEO, ...device(this.#cameraId)},
    });
  }

  /** @param {MediaStream} stream */
  #take(stream) {
    for (const track of stream.getTracks()) this[track.kind] = track;
  }
}

/**
 * Whether camera and microphone were allowed before, so that asking disturbs nobody.
 * @returns {Promise<boolean>} false also where the browser does not tell
 */
export async function devicesAllowed() {
  if (!hasDevices()) return false;
  try {
    const names = ['microphone', 'camera'];
    const states = await Promise.all(names.map((name) => navigator.permissions.query({name})));
    return states.every(({state}) => state === 'granted');
  } catch {
    return false;
  }
}

/** Measures the level of a track. */
export class LevelMeter {
  #context;
  #frame;
  #resume = () => this.#context.resume();

  /**
   * @param {MediaStreamTrack} track of kind audio
   * @param {(level: number) => void} show called with every picture, 0 (−60 dBFS) to 1
   */
  constructor(track, show) {
    this.#context = new AudioContext();
    const analyser = this.#context.createAnalyser();
    analyser.fftSize = 1024;
    this.#context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    // Without a gesture the context sleeps.
    addEventListener('pointerdown', this.#resume);
    addEventListener('keydown', this.#resume);

    const samples = new Float32Array(analyser.fftSize);
    let shown = 0;
    const measure = () => {
      this.#frame = requestAnimationFrame(measure);
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, x) => sum + x * x, 0) / samples.length;
      const level = Math.min(1, Math.max(0, 1 + Math.log10(power + 1e-9) / 6));
      shown = Math.max(level, shown * 0.92); // falls slowly
      show(shown);
    };
    measure();
  }

  close() {
    cancelAnimationFrame(this.#frame);
    removeEventListener('pointerdown', this.#resume);
    removeEventListener('keydown', this.#resume);
    this.#context.close();
  }
}
