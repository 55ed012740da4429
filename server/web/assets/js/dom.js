/** The little that the pages need to build HTML. */

const SVG = 'http://www.w3.org/2000/svg';

/** @param {string} id @returns {HTMLElement} */
export const byId = (id) => document.getElementById(id);

/**
 * Makes an element. Properties that exist are set as such, others as attributes.
 * @param {string} tag
 * @param {Record<string, any>} [props]
 * @param {...(Node|string|null|undefined|false)} children
 */
export function el(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined) continue;
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child || child === ''));
  return element;
}

/** @param {string} name of a symbol in icons.svg */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `/assets/img/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

/** Sets a text only if it is another, so that screen readers are not told again. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Shows an element over the whole screen, or no longer.
 * @param {HTMLElement} element
 * @param {HTMLVideoElement} video what can be shown on phones that show nothing else
 */
export function toggleFullscreen(element, video) {
  if (document.fullscreenElement) document.exitFullscreen();
  else if (element.requestFullscreen) element.requestFullscreen().catch(() => {});
  else video.webkitEnterFullscreen?.();
}

/**
 * Asks before something that cannot be undone.
 * @param {string} text
 * @param {string} yes what the button says that does it
 * @returns {Promise<boolean>} false also if the dialog was closed otherwise
 */
export function ask(text, yes) {
  const dialog = byId('ask');
  byId('ask-text').textContent = text;
  byId('ask-yes').textContent = yes;
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), {once: true});
  });
}

let toastTimer;

/** Takes the short message away. */
export function hideToast() {
  clearTimeout(toastTimer);
  byId('toast').classList.remove('shown');
}

/** Shows a short message for a moment. */
export function toast(text) {
  const element = byId('toast');
  element.textContent = text;
  element.classList.add('shown');
  clearTimeout(toastTimer);
  toastTimer = setTimeout(hideToast, 4000);
}
