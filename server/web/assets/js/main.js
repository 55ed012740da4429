/** The demo page: the lobby, and one call at a time. */

import {ControlApi} from './api.js';
import {Banner} from './banner.js';
import {Call} from './call.js';
import {CallView} from './callview.js';
import {hasWebRTC} from './codecs.js';
import {byId} from './dom.js';
import {HttpError} from './http.js';
import {Lobby} from './lobby.js';
import {LocalMedia, hasDevices} from './media.js';
import {toName} from './names.js';
import {codecProblem, deviceProblem, pageProblem, serverProblem} from './problems.js';
import {recall, remember} from './tab.js';

const CALL_KEY = 'sectile.call';

const api = new ControlApi();
const media = new LocalMedia();
const banner = new Banner();
const lobby = new Lobby(api, media);
const view = new CallView(media);

/** @type {Call|undefined} */
let call;
/** Why the last attempt to join failed, until something is changed. @type {Error|undefined} */
let joinError;
/** Why the control API does not answer the lobby. @type {Error|undefined} */
let serverError;

/** The connections of the moment, for tests and the curious. */
window.sectile = {publisher: undefined, player: undefined};

/** @param {'idle'|'joining'|'joined'|'failed'} state */
function setState(state) {
  document.body.dataset.state = state;
}

/** @param {'lobby'|'room'} name */
function showView(name) {
  document.body.dataset.view = name;
  if (name === 'lobby') lobby.show();
  else lobby.hide();
}

/** Shows the most important of all problems. */
function showProblem() {
  const inAudioRoom = call && !call.video;
  const signIn = serverError instanceof HttpError && serverError.status === 401; // there is a form for that
  const problem = (joinError && serverProblem(joinError))
    ?? (!call && serverError && !signIn ? serverProblem(serverError) : undefined)
    ?? (call ? (inAudioRoom ? undefined : codecProblem()) : pageProblem())
    ?? deviceProblem(inAudioRoom ? {audio: media.errors.audio} : media.errors);
  banner.show(problem);
}

/** The end of the call before, which the next must not overtake. */
let leaving = Promise.resolve();

/**
 * Joins a room. A failure leads back to the lobby and says why.
 * @param {{room: string, name: string, video: boolean, camera?: boolean}} what
 * @param {{microphone: boolean, camera: boolean}} on which of the devices
 */
async function join({room, name, video, camera = true}, on = {microphone: true, camera}) {
  if (call) return;
  if (!hasWebRTC()) {
    setState('failed'); // the page says so already
    return;
  }
  setState('joining');
  lobby.setBusy(true);
  joinError = undefined;
  const current = new Call(api, {room, name, video, media});
  call = current;
  showProblem();
  view.show(current);
  current.addEventListener('joined', () => {
    window.sectile.publisher = current.publisher?.pc;
    window.sectile.player = current.player.pc;
    setState('joined');
  });
  current.addEventListener('reconnecting', () => setState('joining'));
  current.addEventListener('failed', ({detail}) => leave(detail));
  try {
    // Before the devices, so that nobody is asked for a camera in vain.
    const existing = (await api.stats()).find((r) => r.name === room);
    if (!media.any && hasDevices()) lobby.setBusy(true, 'Please allow the microphone…');
    await media.open({video: on.camera && (existing ? !existing.disable_video : video)});
    if (media.audio) media.audio.enabled = on.microphone;
    lobby.setBusy(true);
    await leaving;
    await current.join();
  } catch (err) {
    leave(err);
    return;
  } finally {
    lobby.setBusy(false);
  }
  if (call !== current) return;
  history.replaceState(null, '', addressOf(current));
  document.title = `${room} – Sectile`;
  showProblem();
  showView('room');
}

/** @param {Error} [err] why, if nobody wanted it */
function leave(err) {
  leaving = call?.leave();
  call = undefined;
  window.sectile.publisher = window.sectile.player = undefined;
  view.hide();
  joinError = err;
  setState(err ? 'failed' : 'idle');
  document.title = 'Sectile';
  showProblem();
  if (media.audio) media.audio.enabled = true;
  showView('lobby');
}

/** The address that leads back here: what it said before, with this room. */
function addressOf({room}) {
  const url = new URL(location.href);
  url.searchParams.set('room', room);
  return url;
}

/** What a reload of the tab needs to be in the same call again. */
function stay() {
  const {room, wantedName, wantsVideo, publishes} = call;
  return {room, name: wantedName, video: wantsVideo, on: {
    microphone: media.audio?.enabled ?? true,
    // Who switched the camera off does not want to be seen after a reload.
    camera: Boolean(media.video) || !publishes,
  }};
}

lobby.addEventListener('join', ({detail}) => join(detail));
lobby.addEventListener('server', ({detail}) => {
  serverError = detail;
  showProblem();
});
lobby.preview.addEventListener('change', showProblem);
byId('join-form').addEventListener('input', () => {
  joinError = undefined;
  showProblem();
});
view.addEventListener('leave', () => leave());
addEventListener('pagehide', () => {
  if (call) remember(CALL_KEY, stay());
  call?.leave();
});
addEventListener('pageshow', ({persisted}) => {
  if (!persisted) return;
  remember(CALL_KEY, undefined); // who comes back to the page did not reload it
  location.reload();
});

const query = new URLSearchParams(location.search);
const preset = {room: query.get('room'), name: query.get('name'), video: query.get('video') !== '0'};
const before = recall(CALL_KEY);
remember(CALL_KEY, undefined); // a copy of the tab is nobody's call
const again = before && performance.getEntriesByType('navigation')[0]?.type === 'reload';
lobby.fill(again ? before : preset);
showProblem();
if (again) join(before, before.on);
else if (query.get('autojoin') === '1' && toName(preset.room ?? '')) lobby.submit();
else showView('lobby');
