// Whether the kernel still beats: a page that hears nothing for a while must not offer what it cannot carry out.

/** @import { Model, RenderContext } from "./types.js" */

const SILENT_MS = 7000; // the kernel beats every two seconds
const LOOK_EVERY_MS = 500;
const GREET_AGAIN_MS = 1000;
const GREET_AT_LEAST_EVERY_MS = 60_000;

/**
 * Say hello until it is answered: the first may wait behind a cell that runs, because JupyterLab opens a way past
 * that cell (a subshell) only when the first widget is there. Returns how to stop.
 *
 * @param {Model} model
 */
export function greet(model) {
  /** @type {ReturnType<typeof setTimeout>} */
  let timer;
  let wait = GREET_AGAIN_MS;
  const say = () => {
    model.send({ k: "hello" });
    timer = setTimeout(say, wait);
    wait = Math.min(2 * wait, GREET_AT_LEAST_EVERY_MS);
  };
  say();
  return () => clearTimeout(timer);
}

export class Heartbeat {
  /**
   * `changed(alive)` is called when the answer changes; the clock starts when the page says hello.
   *
   * @param {(alive: boolean) => void} changed
   */
  constructor(changed) {
    this.changed = changed;
    this.alive = true;
    this.heard = performance.now();
    this.timer = setInterval(() => this.#set(performance.now() - this.heard < SILENT_MS), LOOK_EVERY_MS);
  }

  hear() {
    this.heard = performance.now();
    this.#set(true);
  }

  /** @param {boolean} alive */
  #set(alive) {
    if (alive === this.alive) return;
    this.alive = alive;
    this.changed(alive);
  }

  stop() {
    clearInterval(this.timer);
  }
}

/**
 * @typedef {object} View one widget on one page
 * @property {(alive: boolean) => void} alive the kernel began or ceased to be heard
 * @property {() => void} [update] the model's state is another one
 * @property {(message: any) => void} [receive] a message came
 * @property {(message: any) => boolean} [answers] whether a message answers the greeting; every one does by default
 * @property {() => boolean} [over] whether nothing can change any more, so that a silent kernel is no news
 * @property {() => void} [end] the page lets the view go
 */

/**
 * Show a model in an element of its own until the page lets it go; returns how to end it.
 *
 * @param {RenderContext} context
 * @param {string} name the element's class is `sl-` and this
 * @param {(root: HTMLElement) => View} make
 */
export function show({ model, el, signal }, name, make) {
  const root = el.appendChild(document.createElement("div"));
  root.className = `sl sl-${name}`;
  const view = make(root);
  const heartbeat = new Heartbeat(view.alive);
  const rest = () => view.over?.() && heartbeat.stop();
  const update = () => {
    heartbeat.hear();
    view.update?.();
    rest();
  };
  /** @param {any} message */
  const receive = (message) => {
    if (view.answers?.(message) ?? true) answered();
    heartbeat.hear();
    view.receive?.(message);
  };
  model.on("change:state", update);
  model.on("msg:custom", receive);
  const answered = greet(model);
  rest();
  const end = () => {
    model.off("change:state", update);
    model.off("msg:custom", receive);
    heartbeat.stop();
    answered();
    view.end?.();
  };
  signal?.addEventListener("abort", end);
  return end;
}
