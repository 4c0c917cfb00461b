// Whether the kernel still beats: a page that hears nothing for a while must not offer what it cannot carry out.

const SILENT_MS = 7000; // the kernel beats every two seconds
const GREET_AGAIN_MS = 1000, GREET_AT_LEAST_EVERY_MS = 60_000;

// Say hello until it is answered: the first may wait behind a cell that runs, because JupyterLab opens a way past
// that cell (a subshell) only when the first widget is there. Returns how to stop.
export function greet(model) {
  let timer, wait = GREET_AGAIN_MS;
  const say = () => {
    model.send({ k: "hello" });
    timer = setTimeout(say, wait);
    wait = Math.min(2 * wait, GREET_AT_LEAST_EVERY_MS);
  };
  say();
  return () => clearTimeout(timer);
}

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
