/** What WHIP (RFC 9725) and WHEP sessions have in common: one offer, one answer, one URL. */

import {HttpError, request} from './http.js';

/** How long an offer waits for candidates. Later ones are found by the server itself. */
const GATHER_MS = 1000;
const CONNECT_MS = 12_000;
/** How long a connection may be silent before it counts as lost. */
const GRACE_MS = 6000;

/**
 * A session over one RTCPeerConnection. Emits `state` when the connection's state changes
 * and, once, `lost` when a session that was connected is over and close was not called.
 */
export class MediaSession extends EventTarget {
  /** @type {RTCPeerConnection} */
  pc;
  /** The session's ETag, for whoever trickles or restarts ICE. @type {string|null} */
  etag = null;
  /** The public id of the session. @type {string|null} */
  sid = null;
  /** Whether a session that was connected ended without close. */
  lost = false;

  #endpoint;
  #headers;
  /** @type {string|undefined} */
  #location;
  #closed = false;
  #wasConnected = false;
  #graceTimer;

  /**
   * @param {string} endpoint URL of the WHIP or WHEP endpoint
   * @param {{headers?: Record<string, string>, configuration?: RTCConfiguration}} [options]
   */
  constructor(endpoint, {headers = {}, configuration = {}} = {}) {
    super();
    this.#endpoint = endpoint;
    this.#headers = headers;
    this.pc = new RTCPeerConnection({bundlePolicy: 'max-bundle', ...configuration});
    this.pc.addEventListener('connectionstatechange', () => this.#changed());
  }

  /**
   * Negotiates and waits until media can flow.
   * @throws {HttpError|UnreachableError|Error} after which the session is closed
   */
  async open() {
    try {
      await this.#negotiate();
      await this.#connected();
    } catch (err) {
      await this.close();
      throw err;
    }
  }

  /**
   * Ends the session here and on the server. May be called while the page goes away, and
   * again as long as the server did not hear of it (see pending). Never throws.
   */
  async close() {
    this.#closed = true;
    clearTimeout(this.#graceTimer);
    this.pc.close();
    await this.#delete();
  }

  /** Whether the server may still have the session. */
  get pending() {
    return Boolean(this.#location);
  }

  /**
   * Asks the server whether it still knows the session.
   * @returns {Promise<boolean>} true also if the server does not answer
   */
  async alive() {
    if (!this.#location) return false;
    try {
      await request(this.#location, {method: 'HEAD', headers: this.#headers, timeout: 3000});
    } catch (err) {
      return !(err instanceof HttpError && (err.status === 404 || err.status === 410));
    }
    return true;
  }

  async #negotiate() {
    await this.pc.setLocalDescription(await this.pc.createOffer());
    await gathered(this.pc);
    const response = await request(this.#endpoint, {
      method: 'POST', headers: {...this.#headers, 'Content-Type': 'application/sdp'},
      body: this.pc.localDescription.sdp,
    });
    this.#location = new URL(response.headers.get('Location'), response.url).href;
    this.etag = response.headers.get('ETag');
    this.sid = response.headers.get('X-Sid');
    if (this.#closed) {
      await this.#delete();
      throw new Error('closed');
    }
    await this.pc.setRemoteDescription({type: 'answer', sdp: await response.text()});
    this.#watchTransport();
  }

  #connected() {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => done(new MediaBlockedError()), CONNECT_MS);
      const check = () => {
        const state = this.pc.connectionState;
        if (state === 'connected') done();
        if (state === 'failed' || state === 'closed') done(new MediaBlockedError());
      };
      const done = (err) => {
        clearTimeout(timer);
        this.pc.removeEventListener('connectionstatechange', check);
        if (err) reject(err);
        else resolve();
      };
      this.pc.addEventListener('connectionstatechange', check);
      check();
    });
  }

  async #delete() {
    if (!this.#location) return;
    try {
      await request(this.#location, {method: 'DELETE', headers: this.#headers, keepalive: true, timeout: 3000});
    } catch (err) {
      if (!(err instanceof HttpError)) return;
    }
    this.#location = undefined;
  }

  /** A server that ends a session says so over DTLS, long before ICE notices. */
  #watchTransport() {
    const {sender, receiver} = this.pc.getTransceivers()[0];
    const transport = sender.transport ?? receiver.transport;
    transport?.addEventListener('statechange', () => {
      if (transport.state === 'closed' || transport.state === 'failed') this.#lose();
    });
  }

  #changed() {
    const state = this.pc.connectionState;
    this.dispatchEvent(new CustomEvent('state', {detail: state}));
    clearTimeout(this.#graceTimer);
    if (state === 'connected') this.#wasConnected = true;
    if (state === 'failed' || state === 'closed') this.#lose();
    if (state === 'disconnected') {
      this.#graceTimer = setTimeout(() => this.#lose(), GRACE_MS);
      this.alive().then((alive) => alive || this.#lose());
    }
  }

  #lose() {
    if (this.#closed || this.lost || !this.#wasConnected) return;
    this.lost = true;
    this.dispatchEvent(new Event('lost'));
  }
}

/** Signalling worked, but no media gets through. */
export class MediaBlockedError extends Error {
  constructor() {
    super('no media connection to the server');
    this.name = 'MediaBlockedError';
  }
}

/** @param {RTCPeerConnection} pc */
function gathered(pc) {
  return new Promise((resolve) => {
    const check = () => pc.iceGatheringState === 'complete' && resolve();
    pc.addEventListener('icegatheringstatechange', check);
    setTimeout(resolve, GATHER_MS);
    check();
  });
}

