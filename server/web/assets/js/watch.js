/** Asks the control API, about once a second, who is in a room and what they do. */

import {HttpError} from './http.js';

const POLL_MS = 1000;
const POLL_HIDDEN_MS = 4000;

/**
 * @typedef {object} Person
 * @property {string} name
 * @property {boolean} self
 * @property {boolean} talking
 * @property {boolean} connected  somebody publishes the stream
 * @property {boolean|undefined} mutedAudio by the server; undefined if it does not say
 * @property {boolean|undefined} mutedVideo
 */

/** @typedef {'connected'|'stopping'|'no answer'} ServerState stopping: it will end all sessions soon */

export class RoomWatch {
  #api;
  #room;
  #self;
  #on;
  #timer;
  #stopped = false;
  /** @type {ServerState} */
  #server = 'connected';

  /**
   * @param {import('./api.js').ControlApi} api
   * @param {string} room
   * @param {string|undefined} self own stream, if any
   * @param {object} on
   * @param {(people: Person[]) => void} on.people
   * @param {(layout: string|undefined) => void} on.layout of the mosaic
   * @param {(state: ServerState) => void} on.server it is in another state than before
   * @param {() => void} on.gone the room, or the own stream in it, is no more
   */
  constructor(api, room, self, on) {
    this.#api = api;
    this.#room = room;
    this.#self = self;
    this.#on = on;
    this.#ask();
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #ask() {
    let names = [];
    let room;
    let answers = true;
    try {
      const [streams, rooms] = await Promise.all([this.#api.streams(this.#room), this.#api.stats()]);
      names = streams;
      room = rooms.find(({name}) => name === this.#room);
    } catch (err) {
      answers = err instanceof HttpError && err.status === 404;
    }
    if (this.#stopped) return;
    const state = !answers ? 'no answer' : this.#api.stopping ? 'stopping' : 'connected';
    if (state !== this.#server) {
      this.#server = state;
      this.#on.server(state);
    }
    if (answers && (!room || (this.#self && !names.includes(this.#self)))) {
      this.#on.gone();
      return;
    }
    if (answers) {
      this.#on.layout(room.layout);
      this.#on.people(names.map((name) => person(name, room, name === this.#self)));
    }
    if (!this.#stopped) this.#timer = setTimeout(() => this.#ask(), document.hidden ? POLL_HIDDEN_MS : POLL_MS);
  }
}

/** @returns {Person} */
function person(name, room, self) {
  return {
    name, self,
    talking: room.talking?.includes(name) ?? false,
    connected: room.publishing?.includes(name) ?? true,
    mutedAudio: room.muted_audio?.includes(name),
    mutedVideo: room.muted_video?.includes(name),
  };
}
