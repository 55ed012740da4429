/** What a tab remembers over a reload, and forgets when it is closed. */

/**
 * @param {string} key
 * @returns {any} undefined if there is nothing
 */
export function recall(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key)) ?? undefined;
  } catch {
    return undefined; // storage may be forbidden
  }
}

/**
 * @param {string} key
 * @param {any} value that JSON can express; undefined forgets
 */
export function remember(key, value) {
  try {
    if (value === undefined) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Then a reload leads to the start page.
  }
}
