/** Delays between attempts that grow, a little at random so that not all come back at once. */
export class Backoff {
  #attempt = 0;

  /**
   * @param {unknown} [err] of the attempt that failed; what its Retry-After asks for is waited
   * @returns {number} milliseconds to wait before the next attempt
   */
  next(err) {
    const base = Math.min(500 * 2 ** this.#attempt++, 10_000);
    return Math.max(base * (0.8 + 0.4 * Math.random()), (err?.retryAfter ?? 0) * 1000);
  }

  /** To be called after a success. */
  reset() {
    this.#attempt = 0;
  }
}

/**
 * Waits, but no longer than until the browser is online again.
 * @param {number} ms
 * @param {AbortSignal} [signal] ends the wait early, without an error
 */
export function pause(ms, signal) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener('online', done);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    addEventListener('online', done);
    signal?.addEventListener('abort', done);
    if (signal?.aborted) done();
  });
}
