// The page's side of a question: claim it, ask the person only when granted, answer once. See wallet/exchange.py.

/** @import { Model, Question } from "./types.js" */

const HOLDING_EVERY_MS = 1000;

export class Asking {
  /**
   * @param {Model} model
   * @param {{
   *   able: (question: Question) => boolean,
   *   show: (question: Question | null) => void,
   *   open?: () => boolean,
   * }} page
   * @param {string} [page_id]
   */
  constructor(model, { able, show, open = () => false }, page_id = crypto.randomUUID()) {
    this.model = model;
    this.able = able;
    this.show = show;
    this.open = open;
    this.page = page_id;
    /** @type {Question | null} */
    this.question = null;
    this.granted = false;
    /** Ids that this page has answered; never asked again. @type {Set<string>} */
    this.answered = new Set();
    this.timer = setInterval(() => this.#pulse(), HOLDING_EVERY_MS);
  }

  /** @param {{ k: string, id?: string, page?: string, method?: string, params?: object }} message */
  hear(message) {
    if (message.k === "ask" && message.id && !this.answered.has(message.id)) {
      if (this.question?.id === message.id) return;
      this.question = /** @type {Question} */ ({ id: message.id, method: message.method, params: message.params });
      this.granted = false;
      this.#pulse();
    } else if (message.k === "go" && message.id === this.question?.id) {
      const granted = message.page === this.page;
      if (granted === this.granted) return;
      this.granted = granted;
      this.show(granted ? this.question : null);
    } else if (message.k === "over" && message.id === this.question?.id) {
      this.#end();
    }
  }

  // A page that holds a question says so; one that could, but was not granted it, asks again: the other may be gone.
  // One that knows of an open question but was not told it, because it was just opened, asks to be told.
  #pulse() {
    const { question } = this;
    if (!question) {
      if (this.open()) this.#say({ k: "hello" });
      return;
    }
    if (this.granted) this.#say({ k: "holding", id: question.id });
    else if (this.able(question)) this.#say({ k: "claim", id: question.id });
  }

  /**
   * @param {string} id
   * @param {{ result: unknown } | { error: { code: number, message: string, asked?: boolean } }} answer
   */
  answer(id, answer) {
    if (id !== this.question?.id || !this.granted) return;
    this.#say({ k: "answer", id, ...answer });
    this.#end();
  }

  #end() {
    if (this.question) this.answered.add(this.question.id);
    this.question = null;
    this.granted = false;
    this.show(null);
  }

  /** @param {object} content */
  #say(content) {
    this.model.send({ ...content, page: this.page });
  }

  leave() {
    clearInterval(this.timer);
    if (this.granted) this.#say({ k: "bye" });
  }
}
