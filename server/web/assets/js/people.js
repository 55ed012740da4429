/** The list of participants, with what the server can do to each. */

import {ask, byId, el, icon, setText} from './dom.js';
import {colourOf} from './names.js';

/** How long after a click the server's own word counts again, in ms. */
const SETTLE_MS = 2500;

const KINDS = {audio: {on: 'mic', off: 'mic-off', what: 'sound'}, video: {on: 'camera', off: 'camera-off', what: 'picture'}};

export class PeopleList {
  #list = byId('participants');
  #count = byId('people-count');
  #mute;
  #remove;
  /** @type {Map<string, {item: HTMLElement, state: HTMLElement, buttons: object, connected: boolean}>} */
  #rows = new Map();
  #video = true;

  /**
   * @param {(name: string, kind: 'audio'|'video', muted: boolean) => Promise<void>} mute
   * @param {(name: string) => Promise<void>} remove
   */
  constructor(mute, remove) {
    this.#mute = mute;
    this.#remove = remove;
  }

  /** @param {boolean} video whether there are pictures to mute */
  reset(video) {
    this.#video = video;
    this.#rows.clear();
    this.#list.replaceChildren();
    setText(this.#count, '');
  }

  /** @param {import('./watch.js').Person[]} people */
  show(people) {
    const names = new Set(people.map(({name}) => name));
    for (const [name, {item}] of this.#rows) {
      if (names.has(name)) continue;
      item.remove();
      this.#rows.delete(name);
    }
    for (const person of people) {
      if (!this.#rows.has(person.name)) this.#add(person);
      this.#update(person);
    }
    setText(this.#count, String(people.length));
  }

  /** Nothing is known of who talks, until the server tells again. */
  hush() {
    for (const {item, state} of this.#rows.values()) {
      item.classList.remove('talking');
      setText(state, '');
    }
  }

  #add({name, self}) {
    const state = el('span', {className: 'person-state'});
    const buttons = {audio: this.#button(name, 'audio')};
    if (this.#video) buttons.video = this.#button(name, 'video');
    const avatar = el('span', {className: 'avatar', 'aria-hidden': 'true', textContent: name.slice(0, 1).toUpperCase()});
    avatar.style.background = colourOf(name);
    const item = el('li', {className: 'person', 'data-stream': name},
      avatar,
      el('span', {className: 'person-text'},
        el('span', {className: 'person-name', title: name, textContent: name}),
        el('span', {className: 'person-line'}, self && el('em', {textContent: 'you'}), state)),
      el('span', {className: 'equalizer', 'aria-hidden': 'true'}, el('i'), el('i'), el('i')),
      buttons.audio, buttons.video, !self && this.#remover(name));
    item.classList.toggle('self', self);
    this.#list.append(item);
    this.#rows.set(name, {item, state, buttons, connected: false});
  }

  #remover(name) {
    const label = `Remove ${name} from the room`;
    const button = el('button', {
      type: 'button', className: 'mini', 'data-action': 'remove', title: label, 'aria-label': label,
    }, icon('remove'));
    button.addEventListener('click', async () => {
      if (this.#rows.get(name).connected && !await ask(`Remove ${name} from the room?`, 'Remove')) return;
      button.disabled = true; // until the server's next word, without this person
      await this.#remove(name).catch(() => { button.disabled = false; });
    });
    return button;
  }

  #button(name, kind) {
    const button = el('button', {
      type: 'button', className: 'mini', 'data-action': `mute-${kind}`, 'aria-pressed': 'false',
    }, icon(KINDS[kind].on));
    button.addEventListener('click', () => this.#click(button, name, kind));
    this.#press(button, name, kind, false);
    return button;
  }

  async #click(button, name, kind) {
    const muted = button.getAttribute('aria-pressed') !== 'true';
    button.dataset.settles = String(performance.now() + SETTLE_MS);
    this.#press(button, name, kind, muted);
    try {
      await this.#mute(name, kind, muted);
    } catch {
      this.#press(button, name, kind, !muted);
    }
  }

  #press(button, name, kind, muted) {
    const {on, off, what} = KINDS[kind];
    const label = `${muted ? 'Unmute' : 'Mute'} the ${what} of ${name} for everybody`;
    if (button.title === label) return;
    button.title = label;
    button.setAttribute('aria-label', label);
    button.setAttribute('aria-pressed', String(muted));
    button.replaceChildren(icon(muted ? off : on));
  }

  /** @param {import('./watch.js').Person} person */
  #update(person) {
    const row = this.#rows.get(person.name);
    const {item, state, buttons} = row;
    row.connected = person.connected;
    const told = {audio: person.mutedAudio, video: person.mutedVideo};
    for (const [kind, button] of Object.entries(buttons)) {
      if (told[kind] === undefined || performance.now() < Number(button.dataset.settles ?? 0)) continue;
      this.#press(button, person.name, kind, told[kind]);
    }
    item.classList.toggle('talking', person.talking && person.connected);
    item.classList.toggle('absent', !person.connected);
    setText(state, describe(person));
  }
}

/** @param {import('./watch.js').Person} person */
function describe({talking, connected, mutedAudio, mutedVideo}) {
  if (!connected) return 'not connected';
  if (talking) return 'talking';
  if (mutedAudio && mutedVideo) return 'muted and hidden';
  if (mutedAudio) return 'muted';
  return mutedVideo ? 'hidden' : 'listening';
}
