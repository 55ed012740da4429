import {byId, el} from './dom.js';

/** Shows a problem at the top of the demo, or none. */
export class Banner {
  #element = byId('problem');
  #shown = '';

  /** @param {import('./problems.js').Problem|undefined} problem */
  show(problem) {
    const key = problem ? problem.title + problem.text : '';
    if (key === this.#shown) return; // an alert that comes again is read aloud again
    this.#shown = key;
    this.#element.hidden = !problem;
    this.#element.replaceChildren();
    if (!problem) return;
    this.#element.append(
      el('div', {},
        el('strong', {textContent: problem.title}),
        el('p', {textContent: problem.text}),
        problem.link && el('a', {href: problem.link.href, textContent: problem.link.text})),
      el('button', {type: 'button', className: 'quiet', textContent: 'Dismiss', onclick: () => { this.#element.hidden = true; }}),
    );
  }
}
