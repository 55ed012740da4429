/** The viewer of a room: fills its frame, plays the room, tries again for ever. */

import {Backoff, pause} from './backoff.js';
import {canDecodeH264, hasWebRTC} from './codecs.js';
import {byId, setText, toggleFullscreen} from './dom.js';
import {HttpError, UnreachableError, request} from './http.js';
import {playAloud} from './playback.js';
import {MediaBlockedError} from './session.js';
import {WhepPlayer, whepUrl} from './whep.js';

const room = document.body.dataset.room;
const video = byId('mosaic');
/** Sound is off until somebody wants it: browsers play nothing else by themselves. */
let wantsSound = false;

/** The connection of the moment, for tests and the curious. */
window.sectile = {player: undefined};

/** What is asked for cannot be played, at least for now; the message says why. */
class Waiting extends Error {}

/** @param {'connecting'|'playing'|'waiting'} state */
function setState(state, text = '') {
  document.body.dataset.state = state;
  byId('note').hidden = state === 'playing';
  setText(byId('note-text'), text);
}

/**
 * Chooses the tracks: those of the address, or the mosaic and the mix of everybody.
 * @returns {Promise<{tracks: string, mosaic: boolean}>}
 */
async function choose() {
  const described = (await (await request(`/${encodeURIComponent(room)}/media_info.json`)).json()).tracks;
  const ids = new Set(described.map((t) => t.track_id));
  const asked = new URLSearchParams(location.search).get('tracks') ?? (ids.has('v1') ? 'v1a1' : 'a1');
  if (!/^(?=.)(v1)?(a\d+)?$/.test(asked)) throw new Waiting(`“${asked}” names no tracks. Say v1, a1 or both, like v1a1.`);
  const wanted = asked.match(/[va]\d+/g);
  const missing = wanted.find((id) => !ids.has(id));
  if (missing) throw new Waiting(`This room has no track ${missing}. Waiting for it…`);
  const mosaic = wanted.includes('v1') && canDecodeH264();
  if (!mosaic && wanted.length === 1 && wanted[0] === 'v1') throw new Waiting('This browser cannot play H.264 video. In Firefox, allow the OpenH264 plugin.');
  return {tracks: mosaic ? asked : asked.replace('v1', ''), mosaic};
}

/** Plays until the connection is lost. */
async function playOnce() {
  const {tracks, mosaic} = await choose();
  const player = new WhepPlayer(whepUrl(room, tracks), {video: mosaic});
  const lost = new Promise((resolve) => player.addEventListener('lost', resolve, {once: true}));
  const hide = () => player.close();
  addEventListener('pagehide', hide);
  try {
    await player.open();
    window.sectile.player = player.pc;
    byId('audio-card').hidden = mosaic;
    await play(player.stream);
    setState('playing');
    await lost;
  } finally {
    removeEventListener('pagehide', hide);
    window.sectile.player = undefined;
    byId('audio-card').hidden = true; // the note takes its place
    await player.close();
  }
}

/** @param {MediaStream} stream */
async function play(stream) {
  if (wantsSound) {
    wantsSound = await playAloud(video, stream);
  } else {
    video.srcObject = stream;
    video.muted = true;
    video.play().catch(() => {}); // another stream took over, or the page sleeps
  }
  showSound();
}

function showSound() {
  byId('unmute').hidden = wantsSound;
  byId('sound').setAttribute('aria-pressed', String(wantsSound));
  byId('sound').setAttribute('aria-label', wantsSound ? 'Turn the sound off' : 'Turn the sound on');
}

function reason(err) {
  if (err instanceof Waiting) return err.message;
  if (err instanceof UnreachableError) return 'The server does not answer. Trying again…';
  if (err instanceof MediaBlockedError) return 'No media gets through from the server. Trying again…';
  if (err instanceof HttpError && err.status === 404) return `The room “${room}” is not open yet. Waiting for it…`;
  if (err instanceof HttpError && err.status === 503) return 'The server takes no more viewers now. Trying again…';
  return 'The connection was lost. Trying again…';
}

async function run() {
  const backoff = new Backoff();
  for (;;) {
    let err;
    try {
      await playOnce();
      backoff.reset();
    } catch (failure) {
      err = failure;
    }
    setState('waiting', reason(err));
    await pause(backoff.next(err));
  }
}

async function switchSound() {
  wantsSound = !wantsSound;
  if (video.srcObject) await play(video.srcObject);
  showSound();
}

/** Controls go away when nobody moves. */
function hideControlsWhenIdle() {
  let timer;
  const show = () => {
    document.body.classList.add('active');
    clearTimeout(timer);
    timer = setTimeout(() => document.body.classList.remove('active'), 2500);
  };
  for (const type of ['pointermove', 'pointerdown', 'keydown']) addEventListener(type, show);
}

byId('unmute').addEventListener('click', switchSound);
byId('sound').addEventListener('click', switchSound);
byId('fullscreen').addEventListener('click', () => toggleFullscreen(byId('viewer'), video));
hideControlsWhenIdle();
if (hasWebRTC()) run();
else setState('waiting', 'This browser has no WebRTC, which playing needs.');
