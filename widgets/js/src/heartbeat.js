// Whether the kernel still beats: a page that hears nothing for a while must not offer what it cannot carry out.

/** @import { Model } from "./types.js" */

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
