/** The start page: which room, which name, with which devices. */

import {byId, el, icon, setText, toast} from './dom.js';
import {DevicePreview} from './devices.js';
import {HttpError} from './http.js';
import {randomName, toName} from './names.js';
import {serverProblem} from './problems.js';

const POLL_MS = 3000;
const NAME_KEY = 'sectile.name';

/**
 * Emits `join` (detail: {room, name, video, camera}) and `server` (detail: the error of the
 * last question to the control API, or undefined).
 */
export class Lobby extends EventTarget {
  preview;
  /** @type {import('./api.js').RoomStats[]|undefined} undefined until the server told */
  #rooms;
  /** The field that was empty when it was needed, until something is typed. @type {'room'|'name'|undefined} */
  #missing;
  /** Credentials were given. */
  #signedIn = false;

  #api;
  #media;
  #timer;
  #open = false;

  /**
   * @param {import('./api.js').ControlApi} api
   * @param {import('./media.js').LocalMedia} media
   */
  constructor(api, media) {
    super();
    this.#api = api;
    this.#media = media;
    this.preview = new DevicePreview(media);
    this.preview.addEventListener('change', () => this.#update());
    for (const field of ['room', 'name']) {
      byId(field).addEventListener('input', () => {
        this.#missing = undefined;
        this.#update();
      });
    }
    byId('kind').addEventListener('change', () => this.#update());
    byId('join-form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.submit();
    });
    byId('login').addEventListener('submit', (event) => {
      event.preventDefault();
      api.signIn(byId('login-user').value, byId('login-pass').value);
      this.#signedIn = true;
      this.refresh();
    });
  }

  /**
   * @param {{room?: string|null, name?: string|null, video: boolean}} preset of the address
   */
  fill({room, name, video}) {
    byId('room').value = room ?? '';
    byId('name').value = name ?? stored() ?? randomName();
    document.querySelector(`#kind input[value=${video ? 'video' : 'audio'}]`).checked = true;
    this.#update();
  }

  show() {
    this.#open = true;
    this.refresh();
    this.preview.openIfAllowed();
    if (!byId('room').value) byId('room').focus({preventScroll: true});
  }

  hide() {
    this.#open = false;
    clearTimeout(this.#timer);
    this.preview.close();
  }

  /**
   * @param {boolean} busy while joining
   * @param {string} [text] what is going on
   */
  setBusy(busy, text = 'Joining…') {
    byId('join').disabled = busy;
    byId('join').classList.toggle('busy', busy);
    this.#update();
    if (busy) setText(byId('join-label'), text);
  }

  /** Joins with what the form says. */
  submit() {
    const room = toName(byId('room').value);
    const name = toName(byId('name').value);
    const missing = !room ? 'room' : !name ? 'name' : undefined;
    if (missing) {
      this.#missing = missing;
      this.#hint(missing, missing === 'room' ? 'Please name a room, with letters or digits.' : 'Please type a name, with letters or digits.', true);
      byId(missing).focus();
      return;
    }
    store(byId('name').value);
    this.dispatchEvent(new CustomEvent('join', {detail: {room, name, video: this.#video(), camera: this.#camera()}}));
  }

  /** Asks for the rooms now, and then from time to time. */
  async refresh() {
    clearTimeout(this.#timer);
    let failure;
    try {
      this.#rooms = await this.#api.stats();
    } catch (err) {
      this.#rooms = undefined;
      failure = err;
    }
    if (!this.#open) return;
    const lockedOut = failure instanceof HttpError && failure.status === 429;
    const locked = lockedOut || failure instanceof HttpError && failure.status === 401;
    byId('login').hidden = !locked;
    setText(byId('login-hint'), locked && !lockedOut && this.#signedIn ? 'The server does not accept this user and password.' : '');
    this.dispatchEvent(new CustomEvent('server', {detail: failure}));
    this.#list();
    this.#update();
    // A wrong password is not tried again and again: servers lock out who does.
    if (!locked) this.#timer = setTimeout(() => this.refresh(), document.hidden ? 4 * POLL_MS : POLL_MS);
  }

  /** Whether the room that is typed has, or will have, a mosaic. */
  #video() {
    const room = this.#existing();
    return room ? !room.disable_video : document.querySelector('#kind input:checked').value === 'video';
  }

  /** Whether to join with the camera on: who wants audio only, by the link or the form, does not. */
  #camera() {
    return this.#video() && document.querySelector('#kind input:checked').value === 'video';
  }

  #existing() {
    const name = toName(byId('room').value);
    return this.#rooms?.find((room) => room.name === name);
  }

  #update() {
    const typed = byId('room').value.trim();
    const room = this.#existing();
    const spelled = toName(typed);
    const asSpelled = spelled && spelled !== typed ? `Spelled “${spelled}”. ` : '';
    byId('kind').hidden = Boolean(room);
    if (this.#missing !== 'room') this.#hint('room', asSpelled + (room ? describe(room) : 'A new name opens a new room.'));

    const name = byId('name').value.trim();
    if (this.#missing !== 'name') this.#hint('name', toName(name) !== name && toName(name) ? `Shown as “${toName(name)}”: letters, digits, “.”, “_” and “-”.` : '');
    if (!byId('join').disabled) {
      const asked = this.#media.any || this.#media.errors.audio || !navigator.mediaDevices;
      setText(byId('join-label'), asked && !this.#media.any ? 'Join to watch and listen' : 'Join');
    }
    this.preview.setVideo(this.#camera());
  }

  #hint(field, text, bad = false) {
    setText(byId(`${field}-hint`), text);
    byId(`${field}-hint`).classList.toggle('bad', bad);
    byId(field).setAttribute('aria-invalid', String(bad));
  }

  #list() {
    const rooms = this.#rooms ?? [];
    byId('rooms-empty').hidden = rooms.length > 0;
    setText(byId('rooms-empty'), this.#rooms ? 'No room is open yet. Yours will be the first.' : 'The list is not available.');
    const focused = document.activeElement?.closest('#rooms button')?.dataset;
    byId('rooms').replaceChildren(...rooms.slice(0, 60).map((room) => el('li', {}, el('button', {
      type: 'button', className: 'room-card', 'data-room': room.name, onclick: () => this.#choose(room.name),
    }, icon(room.disable_video ? 'wave' : 'grid'), el('strong', {textContent: room.name}), el('span', {textContent: people(room)})),
    deserted(room) && this.#deleter(room.name))));
    for (const [key, value] of Object.entries(focused ?? {})) {
      document.querySelector(`#rooms [data-${key}="${CSS.escape(value)}"]`)?.focus({preventScroll: true});
    }
  }

  #deleter(room) {
    const label = `Delete the room ${room}`;
    return el('button', {
      type: 'button', className: 'mini', 'data-delete': room, title: label, 'aria-label': label, onclick: () => this.#delete(room),
    }, icon('bin'));
  }

  async #delete(name) {
    await this.refresh(); // somebody may have come since
    const room = this.#rooms?.find((r) => r.name === name);
    if (!room || !deserted(room)) return;
    try {
      await this.#api.removeRoom(name);
    } catch (err) {
      toast(`${serverProblem(err).title}.`);
    }
    this.refresh();
  }

  #choose(room) {
    byId('room').value = room;
    this.#update();
    byId('join').focus();
  }
}

/** @param {import('./api.js').RoomStats} room */
function people({participants, publishing, viewers, talking = []}) {
  const present = publishing?.length ?? participants;
  const away = participants - present; // a stream may wait for its participant
  const counts = [
    present && (present === 1 ? '1 person' : `${present} people`),
    talking.length && `${talking.length} talking`,
    away && `${away} away`,
    !present && viewers && `${viewers} watching`,
  ].filter(Boolean);
  return counts.join(', ') || 'empty';
}

/** Whether nobody is connected to the room, so that it may go. */
const deserted = ({publishing, viewers}) => publishing?.length === 0 && !viewers;

const describe = (room) => `This room is open: ${people(room)}, ${room.disable_video ? 'audio only' : 'with video'}.`;

function stored() {
  try {
    return localStorage.getItem(NAME_KEY);
  } catch {
    return null; // storage may be forbidden
  }
}

function store(name) {
  try {
    localStorage.setItem(NAME_KEY, name);
  } catch {
    // Then it has to be typed again.
  }
}
