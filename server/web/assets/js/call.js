/** Being in a room: joins, watches, joins again after failures, leaves. No user interface. */

import {Backoff, pause} from './backoff.js';
import {canDecodeH264, canEncodeH264} from './codecs.js';
import {HttpError, UnreachableError} from './http.js';
import {freeName} from './names.js';
import {RoomWatch} from './watch.js';
import {WhepPlayer, whepUrl} from './whep.js';
import {WhipPublisher} from './whip.js';

/** How long a stream that nobody publishes may yet be that of somebody who is joining. */
const LEFTOVER_MS = 2000;

/**
 * One stay in a room. Emits
 * - `joined` after every successful join,
 * - `reconnecting` (detail: {err, delay in ms}) when the connection is lost or an attempt to
 *   get it back failed,
 * - `people` (detail: Person[]) and `layout` (detail: string) about once a second,
 * - `server` (detail: ServerState of watch.js) when the server stops or starts to answer, or is
 *   about to end,
 * - `failed` (detail: Error) when it makes no sense to go on; the call is over.
 */
export class Call extends EventTarget {
  /** Undefined while there is none, and for those who only listen. @type {WhipPublisher|undefined} */
  publisher;
  /** @type {WhepPlayer|undefined} */
  player;
  room;
  wantedName;
  /** Whether the room gets a mosaic, if it has to be made. */
  wantsVideo;
  /** The stream's name: the wanted one, with a number if that was taken. */
  name;
  /** The audio track that is played. @type {string} */
  track;
  /** Whether the room has a mosaic. */
  video = false;
  /** Whether there is something to publish. */
  publishes = false;

  #api;
  #media;
  #over = new AbortController();
  #joining = false;
  #added = false;
  /** We made the room, and did not get into it yet. */
  #made = false;
  /** The server's process that was joined. */
  #instance;
  /** @type {RoomWatch|undefined} */
  #watch;
  /** Sessions that the server may still have. */
  #ended = [];

  /**
   * @param {import('./api.js').ControlApi} api
   * @param {object} what
   * @param {string} what.room
   * @param {string} what.name the name that a person wants
   * @param {boolean} what.video of the room, if it has to be made
   * @param {import('./media.js').LocalMedia} what.media
   */
  constructor(api, {room, name, video, media}) {
    super();
    this.#api = api;
    this.#media = media;
    this.wantedName = name;
    this.wantsVideo = video;
    this.room = room;
    this.name = name;
  }

  /** @throws whatever made it impossible; the call is over then */
  async join() {
    this.#joining = true;
    try {
      if (this.#media.any) await this.#removeLeftovers();
      await this.#join();
    } catch (err) {
      await this.leave();
      if (this.#made) await this.#removeRoomIfEmpty().catch(() => {}); // nothing depends on it
      throw err;
    } finally {
      this.#joining = false;
    }
  }

  /** Removes the room that we made for nothing. */
  async #removeRoomIfEmpty() {
    const room = (await this.#api.stats()).find(({name}) => name === this.room);
    if (room && !room.participants && !room.viewers) await this.#api.removeRoom(this.room);
  }

  /** Ends the call. May be called while the page goes away: nothing waits for an answer. */
  async leave() {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    // The stream first: with it the server ends the sessions, too, should the page be gone
    // before it can say more.
    await Promise.all([
      this.#added && this.#api.removeStream(this.room, this.name, {keepalive: true}).catch(() => {}),
      this.#closeSessions(),
    ]);
  }

  /**
   * Mutes or unmutes a participant for everybody.
   * @param {string} name
   * @param {'audio'|'video'} kind
   * @param {boolean} muted
   */
  setMuted(name, kind, muted) {
    return this.#api.setMuted(this.room, name, kind, muted);
  }

  /**
   * Removes a participant.
   * @param {string} name
   */
  remove(name) {
    return this.#api.removeStream(this.room, name);
  }

  /**
   * Arranges the mosaic for everybody.
   * @param {string} layout
   */
  setLayout(layout) {
    return this.#api.setLayout(this.room, layout);
  }

  /**
   * Streams of a room in which nobody publishes are what a call left that has ended: browsers
   * that crash cannot say goodbye. A new call starts without them. Two looks tell them from
   * the streams of people who are joining at this moment.
   */
  async #removeLeftovers() {
    let leftovers;
    for (const wait of [0, LEFTOVER_MS]) {
      if (wait) await pause(wait, this.#over.signal);
      const room = (await this.#api.stats()).find(({name}) => name === this.room);
      if (!room?.participants || room.publishing?.length !== 0) return;
      const streams = await this.#api.streams(this.room);
      leftovers = streams.filter((name) => leftovers?.includes(name) ?? true);
    }
    this.#stopIfOver();
    await Promise.all(leftovers.map((name) => this.remove(name).catch(() => {}))); // somebody else was faster
  }

  async #join() {
    this.#instance = await this.#api.instance();
    const {rooms, room} = await this.#ensureRoom();
    this.video = !room.disable_video;
    this.publishes = this.#media.any;
    this.track = this.publishes ? await this.#addStream(rooms) : 'a1';
    this.#stopIfOver();

    const sees = this.video && canDecodeH264();
    this.player = new WhepPlayer(whepUrl(this.room, (sees ? 'v1' : '') + this.track), {video: sees});
    if (this.publishes) {
      this.publisher = new WhipPublisher(`/${encodeURIComponent(this.name)}/whip`, {
        audio: this.#media.audio, video: this.video ? this.#media.video : undefined,
        offerVideo: this.video && canEncodeH264(),
      });
    }
    const sessions = this.#sessions();
    for (const s of sessions) s.addEventListener('lost', () => this.#rejoin(new Error('the connection was lost')));
    await Promise.all(sessions.map((s) => s.open()));
    this.#stopIfOver();
    if (sessions.some((s) => s.lost)) throw new Error('the connection was lost');

    this.#made = false;
    this.dispatchEvent(new Event('joined'));
    this.#watch = new RoomWatch(this.#api, this.room, this.publishes ? this.name : undefined, {
      people: (people) => this.#emit('people', people),
      layout: (layout) => this.#emit('layout', layout),
      server: (state) => this.#serverIs(state),
      gone: () => this.#rejoin(new Error('the server ended the session')),
    });
  }

  /** Makes the room if there is none. One that exists keeps its settings. */
  async #ensureRoom() {
    const find = (rooms) => rooms.find(({name}) => name === this.room);
    let rooms = await this.#api.stats();
    let room = find(rooms);
    if (room) return {rooms, room};
    try {
      room = await this.#api.addRoom(this.room, {disable_video: !this.wantsVideo});
      this.#made = true;
    } catch (err) {
      if (!(err instanceof HttpError && err.status === 409)) throw err;
      rooms = await this.#api.stats(); // somebody else was faster
      room = find(rooms);
      if (!room) throw err;
    }
    return {rooms, room};
  }

  /** @returns {Promise<string>} the track */
  async #addStream(rooms) {
    const taken = await this.#takenNames(rooms);
    if (taken.has(this.name)) {
      this.name = freeName(this.wantedName, taken);
      this.#added = false;
    }
    const track = await this.#api.addStream(this.room, this.name);
    this.#added = true;
    return track;
  }

  /**
   * The streams with a publisher, of all rooms: publishing under a name in use throws the
   * other out. A stream of this room that nobody publishes waits for its participant, who
   * may be us.
   */
  async #takenNames(rooms) {
    const room = rooms.find(({name}) => name === this.room);
    const names = rooms.flatMap(({publishing}) => publishing ?? []);
    if (room && !room.publishing) { // the server does not tell: be careful
      const streams = await this.#api.streams(this.room);
      names.push(...streams.filter((name) => !(this.#added && name === this.name)));
    }
    return new Set(names);
  }

  /** Back after a silence, a server that was restarted does not know the sessions. */
  async #serverIs(state) {
    this.#emit('server', state);
    if (state !== 'connected') return;
    const alive = await Promise.all(this.#sessions().map((s) => s.alive()));
    if (alive.includes(false)) this.#rejoin(new Error('the server was restarted'));
  }

  /** Joins again, as often as it takes. */
  async #rejoin(err) {
    if (this.#joining || this.#over.signal.aborted) return;
    this.#joining = true;
    const backoff = new Backoff();
    let unreachable = false;
    for (;;) {
      const delay = backoff.next(err);
      this.#emit('reconnecting', {err, delay});
      await Promise.all([this.#closeSessions(), pause(delay, this.#over.signal)]);
      if (this.#over.signal.aborted) return;
      try {
        // Who was away for long may have been taken for a leftover, which is no reason to stay out.
        if (!unreachable) await this.#checkRemoved();
        await this.#closeSessions(); // what the server did not hear of before
        await this.#join();
        break;
      } catch (failure) {
        err = failure;
        unreachable ||= err instanceof UnreachableError;
      }
      if (this.#over.signal.aborted) return;
      if (isFinal(err)) {
        await this.leave();
        this.#emit('failed', err);
        return;
      }
    }
    this.#joining = false;
  }

  /**
   * Throws if somebody removed us or the room on purpose: the server is the same process as
   * before, but knows us no more. One that was restarted may have forgotten everything.
   */
  async #checkRemoved() {
    if (await this.#api.instance() !== this.#instance) return;
    let streams;
    try {
      streams = await this.#api.streams(this.room);
    } catch (err) {
      if (err instanceof HttpError && err.status === 404) throw new RemovedError('room');
      throw err;
    }
    if (this.#added && !streams.includes(this.name)) throw new RemovedError('stream');
  }

  #sessions() {
    return [this.publisher, this.player].filter(Boolean);
  }

  async #closeSessions() {
    this.#watch?.stop();
    this.#ended.push(...this.#sessions());
    this.publisher = this.player = undefined;
    await Promise.all(this.#ended.map((s) => s.close()));
    this.#ended = this.#ended.filter((s) => s.pending);
  }

  #stopIfOver() {
    if (this.#over.signal.aborted) throw new Error('the call is over');
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, {detail}));
  }
}

/** Somebody removed our stream, or the room. */
export class RemovedError extends Error {
  /** @param {'stream'|'room'} what */
  constructor(what) {
    super(`the ${what} was removed`);
    this.name = 'RemovedError';
    this.what = what;
  }
}

/** Whether trying again is of no use. */
const isFinal = (err) => err instanceof RemovedError ||
  (err instanceof HttpError && [400, 401, 403, 413, 415, 422].includes(err.status));
