/** The choice of how the mosaic is arranged. */

import {byId} from './dom.js';

/** How long after a click the server's own word counts again, in ms. */
const SETTLE_MS = 2500;

export class LayoutChoice {
  #group = byId('layouts');
  #set;
  #shown;
  #settles = 0;

  /** @param {(layout: string) => Promise<void>} set */
  constructor(set) {
    this.#set = set;
    this.#group.addEventListener('change', ({target}) => this.#choose(target.value));
  }

  /** @param {boolean} video whether there is a mosaic */
  reset(video) {
    this.#group.hidden = !video;
    this.#settles = 0;
    this.show(undefined);
  }

  /** @param {string|undefined} layout of the room; there are some that cannot be chosen here */
  show(layout) {
    if (performance.now() < this.#settles) return;
    this.#shown = layout;
    for (const input of this.#group.querySelectorAll('input')) input.checked = input.value === layout;
  }

  async #choose(layout) {
    this.#settles = performance.now() + SETTLE_MS;
    try {
      await this.#set(layout);
      this.#shown = layout;
    } catch {
      this.#settles = 0;
      this.show(this.#shown);
    }
  }
}
