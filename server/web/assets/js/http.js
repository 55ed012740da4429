/** HTTP with errors that tell what a person can do about them. */

/** The server answered, but with a refusal. */
export class HttpError extends Error {
  /**
   * @param {number} status
   * @param {string} message what the server said
   * @param {number} [retryAfter] seconds until it is worth trying again
   */
  constructor(status, message, retryAfter) {
    super(message || `status ${status}`);
    this.name = 'HttpError';
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** The server did not answer at all. */
export class UnreachableError extends Error {
  /** @param {unknown} cause */
  constructor(cause) {
    super('the server does not answer', {cause});
    this.name = 'UnreachableError';
  }
}

/**
 * Sends a request and returns the response if its status is 2xx. Cookies and the browser's
 * own logins are left out, so that a 401 comes here and not into a dialog of the browser.
 * @param {string} url
 * @param {RequestInit & {timeout?: number}} [init] timeout in milliseconds, 10 s if absent
 * @returns {Promise<Response>}
 * @throws {HttpError|UnreachableError}
 */
export async function request(url, {timeout = 10_000, ...init} = {}) {
  let response;
  try {
    response = await fetch(url, {
      credentials: 'omit', cache: 'no-store', signal: AbortSignal.timeout(timeout), ...init,
    });
  } catch (err) {
    throw new UnreachableError(err);
  }
  if (!response.ok) throw await refusal(response);
  return response;
}

/** @param {Response} response */
async function refusal(response) {
  let text = await response.text().catch(() => '');
  try {
    text = JSON.parse(text).error ?? text;
  } catch {
    // Not JSON: WHIP and WHEP answer with plain text.
  }
  return new HttpError(response.status, String(text).trim().slice(0, 300), seconds(response.headers.get('Retry-After')));
}

/**
 * Reads a Retry-After header, which is a number of seconds or a date.
 * @param {string|null} value
 * @returns {number|undefined}
 */
function seconds(value) {
  if (!value) return undefined;
  const n = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isFinite(n) ? Math.max(0, Math.ceil(n)) : undefined;
}
