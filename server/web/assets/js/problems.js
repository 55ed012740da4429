/** What to tell a person when something does not work, and what to do about it. */

import {RemovedError} from './call.js';
import {canDecodeH264, canEncodeH264, hasWebRTC} from './codecs.js';
import {HttpError, UnreachableError} from './http.js';
import {hasDevices} from './media.js';
import {MediaBlockedError} from './session.js';

/**
 * @typedef {object} Problem
 * @property {string} title
 * @property {string} text
 * @property {{href: string, text: string}} [link]
 */

/** @returns {Problem|undefined} what is wrong with this browser or this page's address */
export function pageProblem() {
  if (!hasWebRTC()) {
    return {title: 'This browser has no WebRTC', text: 'It may be switched off by a setting or an extension. Switch it on, or use a current Chromium, Firefox or Safari.'};
  }
  if (!hasDevices()) return insecure();
  return codecProblem();
}

/** @returns {Problem|undefined} what somebody misses in a room with video */
export function codecProblem() {
  if (!canDecodeH264()) {
    return {title: 'This browser cannot play H.264 video', text: 'You will hear the room but not see it, and nobody sees you. In Firefox, allow the OpenH264 plugin (Add-ons → Plugins) and wait until it is installed; Chromium needs a build with H.264.'};
  }
  if (!canEncodeH264()) {
    return {title: 'This browser cannot send H.264 video', text: 'You can join with your microphone; the mosaic shows your name instead of your camera. In Firefox, allow the OpenH264 plugin (Add-ons → Plugins).'};
  }
  return undefined;
}

/** @returns {Problem} */
function insecure() {
  const problem = {title: 'No camera and microphone on this address', text: 'Browsers give them to https pages and to localhost only. '};
  const port = document.querySelector('meta[name=https-port]')?.content;
  if (port) {
    const url = new URL(location.href);
    url.protocol = 'https:';
    url.port = port;
    problem.text += 'You can join to watch and listen, or open the secure page; its certificate may be self-signed, then the browser warns once.';
    problem.link = {href: url.href, text: `Open ${url.origin}`};
  } else {
    problem.text += `You can join to watch and listen. To take part, start the server with --https :8443 and open port 8443 of ${location.hostname} with https.`;
  }
  return problem;
}

/**
 * @param {{audio?: Error, video?: Error}} errors of LocalMedia
 * @returns {Problem|undefined}
 */
export function deviceProblem({audio, video}) {
  if (!audio && !video) return undefined;
  const refused = (err) => err?.name === 'NotAllowedError' || err?.name === 'SecurityError';
  if (refused(audio) || refused(video)) {
    const what = audio && video ? 'Camera and microphone were' : audio ? 'The microphone was' : 'The camera was';
    return {title: `${what} not allowed`, text: `Allow ${audio && video ? 'them' : 'it'} with the icon beside the address and reload the page. ${without(audio, video)}`};
  }
  const busy = (err) => err?.name === 'NotReadableError' || err?.name === 'AbortError';
  const what = audio && video ? 'camera or microphone' : audio ? 'microphone' : 'camera';
  if (busy(audio) || busy(video)) {
    return {title: `The ${what} cannot be opened`, text: `Another program may use it. ${without(audio, video)}`};
  }
  return {title: `No ${what} found`, text: `Connect one and reload the page. ${without(audio, video)}`};
}

function without(audio, video) {
  if (audio && video) return 'Without, you can join to watch and listen.';
  return audio ? 'Without, you can be seen but not heard.' : 'Without, you join with your microphone only.';
}

/**
 * @param {unknown} err of the control API, WHIP or WHEP
 * @returns {Problem}
 */
export function serverProblem(err) {
  if (err instanceof UnreachableError) {
    return {title: 'The server does not answer', text: 'It may be restarting, or the network is gone. This page keeps trying.'};
  }
  if (err instanceof MediaBlockedError) {
    return {title: 'No media connection', text: 'The server answers, but neither sound nor picture gets through. A firewall may block its UDP port (8189 by default), or the server announces an address that cannot be reached from here: see --rtc-address.'};
  }
  if (err instanceof RemovedError) {
    return err.what === 'room'
      ? {title: 'The room was closed', text: 'Somebody deleted it. To join now opens a new room of the same name.'}
      : {title: 'You were removed from the room', text: 'Somebody in it, or the server’s operator, removed you. You may join again.'};
  }
  if (err instanceof HttpError) return refusal(err);
  const message = String(err?.message || err);
  return {title: message[0].toUpperCase() + message.slice(1), text: 'Please try again.'};
}

/** @param {HttpError} err */
function refusal(err) {
  const wait = err.retryAfter ? `in ${err.retryAfter} s` : 'in a moment';
  switch (err.status) {
    case 401:
      return {title: 'Please sign in', text: 'The server asks for the user and password of its control API.'};
    case 403: {
      const url = new URL(location.href);
      url.hostname = 'localhost';
      return {title: 'The control API refuses this address', text: `Without --edit-auth it answers localhost only. Start the server with --edit-auth USER:PASS, or open ${url.origin} on the computer it runs on.`};
    }
    case 404:
      return {title: 'Not there any more', text: 'The room or the stream was removed meanwhile. Try again.'};
    case 422:
      return {title: 'No codec in common', text: `The server takes H.264 and Opus only. It said: ${err.message}`};
    case 429:
      return {title: 'Too many attempts', text: `The server wants a pause. Try again ${wait}.`};
    case 503:
      return {title: 'The server takes no one else', text: `It is full or about to stop. Try again ${wait}.`};
    default:
      return {title: 'The server refused', text: err.message};
  }
}
