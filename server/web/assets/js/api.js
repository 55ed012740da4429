/** The control API of Dynamic Chat Rooms. */

import {HttpError, request} from './http.js';
import {recall, remember} from './tab.js';

const PATH = '/flussonic/api/dynamic_mosaic/';
const AUTH_KEY = 'sectile.authorization';

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
  /** Whether the server said last that it is about to stop. */
  stopping = false;

  /** @type {string|undefined} */
  #authorization = recall(AUTH_KEY);

  /**
   * Uses a user and a password in all further commands, also after a reload of the tab.
   * @param {string} user
   * @param {string} password
   */
  signIn(user, password) {
    const bytes = new TextEncoder().encode(`${user}:${password}`);
    this.#authorization = `Basic ${btoa(String.fromCharCode(...bytes))}`;
    remember(AUTH_KEY, this.#authorization);
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
   * Ends a room with all that is in it.
   * @param {string} name
   */
  removeRoom(name) {
    return this.#command('', 'remove_room', [name]);
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
    let response;
    try {
      response = await request(PATH + encodeURIComponent(room), {
        method: 'POST', headers, body: JSON.stringify({command, args, ...body}), ...init,
      });
    } catch (err) {
      // A wrong password must not be tried again by each reload.
      if (err instanceof HttpError && err.status === 401) remember(AUTH_KEY, undefined);
      throw err;
    }
    this.stopping = response.headers.has('X-Draining');
    return response.json();
  }
}
