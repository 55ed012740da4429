/** The preview of camera and microphone in the lobby. */

import {byId, el} from './dom.js';
import {LevelMeter, devicesAllowed, hasDevices} from './media.js';

const KINDS = {audio: {id: 'mic-select', kind: 'audioinput', none: 'No microphone'}, video: {id: 'camera-select', kind: 'videoinput', none: 'No camera'}};

/** Emits `change` when there is more, or less, to publish than before. */
export class DevicePreview extends EventTarget {
  #media;
  /** @type {LevelMeter|undefined} */
  #meter;
  #video = true;

  /** @param {import('./media.js').LocalMedia} media */
  constructor(media) {
    super();
    this.#media = media;
    byId('check-devices').addEventListener('click', () => this.open());
    for (const kind of Object.keys(KINDS)) {
      byId(KINDS[kind].id).addEventListener('change', (event) => this.#choose(kind, event.target.value));
    }
    navigator.mediaDevices?.addEventListener?.('devicechange', () => this.#list());
    this.#show();
  }

  /** Opens camera and microphone if that disturbs nobody with a question. */
  async openIfAllowed() {
    if (await devicesAllowed()) await this.open();
  }

  /** Opens camera and microphone. */
  async open() {
    byId('check-devices').disabled = true;
    await this.#media.open({video: this.#video});
    byId('check-devices').disabled = false;
    await this.#show();
    this.dispatchEvent(new Event('change'));
  }

  /** @param {boolean} video whether to join with the camera */
  async setVideo(video) {
    if (video === this.#video) return;
    this.#video = video;
    if (!video) this.#media.stop('video');
    else if (this.#media.audio) await this.#media.open({video});
    await this.#show();
  }

  /** Stops to measure; the devices stay open. */
  close() {
    this.#meter?.close();
    this.#meter = undefined;
    byId('preview').srcObject = null;
  }

  async #choose(kind, id) {
    await this.#media.choose(kind, id);
    await this.#show();
    this.dispatchEvent(new Event('change'));
  }

  async #show() {
    const {audio, video, any} = this.#media;
    const preview = byId('preview');
    if (preview.srcObject?.getVideoTracks()[0] !== video) preview.srcObject = video ? new MediaStream([video]) : null;
    preview.hidden = !video;
    byId('preview-empty').hidden = Boolean(video);
    byId('check-devices').hidden = any || !hasDevices();
    byId('preview-text').textContent = this.#hint();
    byId('devices').hidden = !any;
    byId('camera-select').closest('label').hidden = !this.#video;
    this.#meter?.close();
    this.#meter = undefined;
    if (audio) {
      const bar = byId('meter').firstElementChild;
      this.#meter = new LevelMeter(audio, (level) => { bar.style.transform = `scaleX(${level})`; });
    }
    if (any) await this.#list();
  }

  #hint() {
    const {audio, errors} = this.#media;
    if (!hasDevices()) return 'Camera and microphone need a secure page.';
    if (!this.#video) return audio ? 'Your camera stays off.' : 'Check how you sound before you join.';
    if (audio) return errors.video ? 'No camera: you join with your microphone.' : 'Your camera is off.';
    return 'Check how you look and sound before you join.';
  }

  async #list() {
    const devices = await this.#media.devices();
    for (const [media, {id, kind, none}] of Object.entries(KINDS)) {
      const current = this.#media[media]?.getSettings().deviceId;
      const options = devices.filter((d) => d.kind === kind && d.deviceId).map((d, i) => el('option', {
        value: d.deviceId, textContent: d.label || `Device ${i + 1}`, selected: d.deviceId === current,
      }));
      const select = byId(id);
      select.disabled = options.length === 0;
      select.replaceChildren(...(options.length ? options : [el('option', {textContent: none})]));
    }
  }
}
