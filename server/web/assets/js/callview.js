/** The room as seen from inside. */

import {byId, el, hideToast, setText, toast, toggleFullscreen} from './dom.js';
import {colourOf} from './names.js';
import {LayoutChoice} from './layouts.js';
import {Numbers} from './numbers.js';
import {PeopleList} from './people.js';
import {playAloud} from './playback.js';
import {deviceProblem, serverProblem} from './problems.js';

const NUMBERS_MS = 1000;

/** Shows one call after another. Emits `leave` when a person has had enough. */
export class CallView extends EventTarget {
  /** @type {import('./call.js').Call|undefined} */
  #call;
  #media;
  #people = new PeopleList(
    (name, kind, muted) => this.#try(() => this.#call.setMuted(name, kind, muted)),
    (name) => this.#try(() => this.#call.remove(name)));
  #layouts = new LayoutChoice((layout) => this.#try(() => this.#call.setLayout(layout)));
  #numbers = new Numbers();
  #numbersTimer;
  #mosaic = byId('mosaic');
  #shownName;
  /** What somebody muted of us for everybody. */
  #silenced = {audio: false, video: false};

  /** @param {import('./media.js').LocalMedia} media */
  constructor(media) {
    super();
    this.#media = media;
    const actions = {
      'toggle-mic': () => this.#toggleMic(),
      'toggle-camera': () => this.#toggleCamera(),
      'fullscreen': () => toggleFullscreen(byId('stage'), this.#mosaic),
      'copy-link': () => this.#copyLink(),
      'leave': () => this.dispatchEvent(new Event('leave')),
    };
    for (const [action, run] of Object.entries(actions)) {
      document.querySelector(`[data-action="${action}"]`).addEventListener('click', run);
    }
    byId('hear').addEventListener('click', () => this.#play());
    for (const type of ['loadedmetadata', 'resize']) {
      this.#mosaic.addEventListener(type, () => this.#fitStage());
    }
  }

  /** @param {import('./call.js').Call} call that is about to join */
  show(call) {
    this.#call = call;
    call.addEventListener('joined', () => this.#joined());
    call.addEventListener('reconnecting', ({detail}) => this.#reconnecting(detail));
    call.addEventListener('server', ({detail}) => this.#serverIs(detail));
    call.addEventListener('people', ({detail}) => this.#showPeople(detail));
    call.addEventListener('layout', ({detail}) => this.#layouts.show(detail));
  }

  /** Forgets the call. */
  hide() {
    this.#call = undefined;
    clearInterval(this.#numbersTimer);
    hideToast(); // it is about the call
    byId('ask').close();
    this.#mosaic.srcObject = null;
    if (document.fullscreenElement) document.exitFullscreen();
  }

  #joined() {
    const {room, name, video} = this.#call;
    this.#people.reset(video);
    this.#layouts.reset(video);
    setText(byId('room-title'), room);
    byId('viewer-link').href = this.#viewerLink();
    byId('stage').classList.toggle('audio', !video);
    byId('audio-card').setAttribute('aria-hidden', String(video));
    this.#connection('connected');
    this.#note('');
    this.#showToggles();
    this.#play();
    clearInterval(this.#numbersTimer);
    this.#numbersTimer = setInterval(() => this.#showNumbers(), NUMBERS_MS);
    for (const track of [this.#media.audio, this.#media.video]) {
      track?.addEventListener('ended', () => toast(`The ${track.kind === 'audio' ? 'microphone' : 'camera'} went away.`), {once: true});
    }
    if (name !== this.#call.wantedName && name !== this.#shownName) toast(`That name is taken. You are ${name}.`);
    this.#shownName = name;
  }

  #reconnecting({err, delay}) {
    this.#connection('reconnecting');
    const seconds = Math.max(1, Math.round(delay / 1000));
    this.#note(`${serverProblem(err).title}. Trying again in ${seconds} s…`);
    clearInterval(this.#numbersTimer);
    setText(byId('stats'), '');
  }

  /** @param {import('./watch.js').ServerState} state */
  #serverIs(state) {
    this.#connection(state);
    if (state === 'connected') this.#note('');
    if (state === 'no answer') this.#note('The server does not answer.');
    if (state === 'stopping') this.#note('The server is about to stop, perhaps to restart. This page joins again when it is back.');
  }

  /** @param {'reconnecting'|import('./watch.js').ServerState} state */
  #connection(state) {
    document.body.dataset.connection = state;
    setText(byId('connection'), state);
    if (state === 'reconnecting' || state === 'no answer') this.#people.hush();
  }

  #note(text) {
    byId('stage-note').hidden = !text;
    setText(byId('stage-note'), text);
  }

  async #play() {
    const player = this.#call?.player;
    if (!player) return;
    const heard = await playAloud(this.#mosaic, player.stream);
    byId('hear').hidden = heard;
  }

  /** The stage has the shape of the mosaic, whatever its options say. */
  #fitStage() {
    const {videoWidth, videoHeight} = this.#mosaic;
    if (videoWidth) byId('stage').style.setProperty('--aspect', String(videoWidth / videoHeight));
  }

  /** @param {import('./watch.js').Person[]} people */
  #showPeople(people) {
    this.#people.show(people);
    this.#tellMutes(people.find(({self}) => self));
    if (document.body.dataset.connection === 'connected') {
      this.#note(people.some(({connected}) => connected) ? '' : 'Nobody is here yet.');
    }
    if (this.#call.video) return;
    const bubbles = people.filter((p) => p.connected).slice(0, 24).map(({name, talking}) => {
      const bubble = el('span', {className: talking ? 'bubble talking' : 'bubble', textContent: name.slice(0, 1).toUpperCase()});
      bubble.style.background = colourOf(name);
      return bubble;
    });
    byId('bubbles').replaceChildren(...bubbles);
  }

  /** @param {import('./watch.js').Person|undefined} self */
  #tellMutes(self) {
    if (!self) return;
    const told = {audio: Boolean(self.mutedAudio), video: Boolean(self.mutedVideo)};
    if (told.audio && !this.#silenced.audio) toast('You are muted for everybody. The microphone button unmutes you.');
    if (told.video && !this.#silenced.video) toast('Your picture is hidden for everybody. The camera button shows it again.');
    this.#silenced = told;
    this.#showToggles();
  }

  async #showNumbers() {
    const call = this.#call;
    const line = await this.#numbers.line(call?.player?.pc, call?.publisher?.pc).catch(() => '');
    if (call && call === this.#call) setText(byId('stats'), line);
  }

  /** Sends a command, and says so if it fails. */
  async #try(command) {
    try {
      await command();
    } catch (err) {
      toast(`${serverProblem(err).title}.`);
      throw err;
    }
  }

  async #toggleMic() {
    const {audio} = this.#media;
    if (!audio) return;
    if (this.#silenced.audio) {
      await this.#unmute('audio');
      return;
    }
    audio.enabled = !audio.enabled;
    this.#showToggles();
  }

  /** Takes back what somebody muted of us. */
  #unmute(kind) {
    return this.#try(() => this.#call.setMuted(this.#call.name, kind, false)).catch(() => {}); // a toast told
  }

  /** Off means off: the camera's light goes out, and the mosaic shows the name. */
  async #toggleCamera() {
    if (this.#silenced.video) {
      await this.#unmute('video');
      return;
    }
    const button = document.querySelector('[data-action="toggle-camera"]');
    button.disabled = true;
    if (this.#media.video) {
      await this.#call.publisher?.setVideo(null);
      this.#media.stop('video');
    } else {
      await this.#media.open({video: true});
      const problem = deviceProblem({video: this.#media.errors.video});
      if (problem) toast(`${problem.title}.`);
      await this.#call?.publisher?.setVideo(this.#media.video ?? null);
    }
    if (this.#call) this.#showToggles();
  }

  #showToggles() {
    const {audio, video} = this.#media;
    toggle('toggle-mic', 'microphone', Boolean(audio), (audio?.enabled ?? false) && !this.#silenced.audio);
    const camera = this.#call.video && (Boolean(video) || this.#call.publisher?.hasVideo);
    toggle('toggle-camera', 'camera', camera, Boolean(video) && this.#call.video && !this.#silenced.video);
  }

  async #copyLink() {
    const link = this.#viewerLink();
    try {
      await navigator.clipboard.writeText(link);
    } catch {
      const field = el('textarea', {value: link, className: 'visually-hidden'});
      document.body.append(field);
      field.select();
      document.execCommand('copy'); // the only way on a page that is not secure
      field.remove();
    }
    toast('The viewer link is copied.');
  }

  #viewerLink() {
    return new URL(`/${encodeURIComponent(this.#call.room)}/embed.html`, location.href).href;
  }
}

/** Sets one of the round buttons. */
function toggle(action, what, possible, on) {
  const button = document.querySelector(`[data-action="${action}"]`);
  const label = possible ? `Turn the ${what} ${on ? 'off' : 'on'}` : `No ${what}`;
  button.disabled = !possible;
  button.setAttribute('aria-pressed', String(on));
  button.setAttribute('aria-label', label);
  button.title = label;
}
