/** The control API of Dynamic Chat Rooms. */

import {request} from './http.js';

const PATH = '/flussonic/api/dynamic_mosaic/';

/**
 * @typedef {object} RoomStats
 * @property {string} name
 * @property {boolean} disable_video
 * @property {number} participants
 * @property {string[]} talking
 * @property {number} viewers
 * @property {string[]} [publishing]   streams with a publisher
 * @property {string[]} [muted_audio]
 * @property {string[]} [muted_video]
 * @property {string} [layout]         of the mosaic
 */

export class ControlApi {
  /** @type {string|undefined} */
  #authorization;

  /**
   * Uses a user and a password in all further commands.
   * @param {string} user
   * @param {string} password
   */
  signIn(user, password) {
    const bytes = new TextEncoder().encode(`${user}:${password}`);
    this.#authorization = `Basic ${btoa(String.fromCharCode(...bytes))}`;
  }

  /** @returns {Promise<string|null>} what names the server's process: another one after a restart */
  async instance() {
    return (await request('/healthz')).headers.get('X-Instance');
  }

  /** @returns {Promise<RoomStats[]>} all rooms */
  async stats() {
    return (await this.#command('', 'stats', [])).rooms ?? [];
  }

  /**
   * @param {string} name
   * @param {object} options of the room, by the names of the configuration
   * @returns {Promise<RoomStats>}
   */
  addRoom(name, options) {
    return this.#command('', 'add_room', [name], {body: {options}});
  }

  /**
   * @param {string} room
   * @param {string} stream
   * @returns {Promise<string>} the track that plays everybody but this stream, like a3
   */
  async addStream(room, stream) {
    return (await this.#command(room, 'add_stream', [stream])).track_id;
  }

  /**
   * @param {string} room
   * @param {string} stream
   * @param {{keepalive?: boolean}} [init] keepalive lets the command outlive the page
   */
  removeStream(room, stream, init) {
    return this.#command(room, 'remove_stream', [stream], {init});
  }

  /**
   * @param {string} room
   * @returns {Promise<string[]>} the streams of a room
   */
  async streams(room) {
    const {clients} = await this.#command(room, 'stat', []);
    return clients.filter((name, i) => !(i === 0 && name === 'all')); // `all` is the mix
  }

  /**
   * Mutes or unmutes a participant for everybody.
   * @param {string} room
   * @param {string} stream
   * @param {'audio'|'video'} kind
   * @param {boolean} muted
   */
  setMuted(room, stream, kind, muted) {
    return this.#command(room, `${muted ? 'mute' : 'unmute'}_${kind}`, [stream]);
  }

  /**
   * Arranges the mosaic of a room, for everybody.
   * @param {string} room
   * @param {string} layout
   */
  setLayout(room, layout) {
    return this.#command(room, 'set_layout', [layout]);
  }

  async #command(room, command, args, {body = {}, init = {}} = {}) {
    const headers = {'Content-Type': 'application/json'};
    if (this.#authorization) headers.Authorization = this.#authorization;
    const response = await request(PATH + encodeURIComponent(room), {
      method: 'POST', headers, body: JSON.stringify({command, args, ...body}), ...init,
    });
    return response.json();
  }
}
