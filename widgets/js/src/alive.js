// Whether the kernel still beats: a page that hears nothing for a while must not offer what it cannot carry out.

const SILENT_MS = 7000; // the kernel beats every two seconds

export class Alive {
  // `changed(alive)` is called when the answer changes; the clock starts when the page says hello.
  constructor(changed) {
    this.changed = changed;
    this.alive = true;
    this.heard = performance.now();
    this.timer = setInterval(() => this.#set(performance.now() - this.heard < SILENT_MS), 500);
  }

  hear() {
    this.heard = performance.now();
    this.#set(true);
  }

  #set(alive) {
    if (alive === this.alive) return;
    this.alive = alive;
    this.changed(alive);
  }

  stop() {
    clearInterval(this.timer);
  }
}
