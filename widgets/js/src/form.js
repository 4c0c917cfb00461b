// The money form: shows the kernel's state and sends "look" while typing and "confirm" on the click.
// It never decides: whether a click counts is the kernel's word, so a second tab or a second click changes nothing,
// and the button says what the kernel has previewed, not what this tab's fields hold.

import { html, nothing, render as write } from "lit-html";
import { show } from "./heartbeat.js";
import { renderLedger } from "./ledger.js";
import { folded, networkBar, steps, voteBar } from "./money.js";
import { renderPassword } from "./password.js";
import { secretField } from "./secret.js";

/** @import { Fact, Field, FormSetup, FormState, Model, RenderContext } from "./types.js" */

const LOOK_AFTER_MS = 250;
const ANSWER_WITHIN_MS = 4000;
const SETTLED = ["sending", "finalised", "unknown"];
const OVER = ["finalised", "unknown"]; // nothing more can come, so the kernel beats no more

class Form {
  /**
   * @param {Model} model
   * @param {HTMLElement} root
   */
  constructor(model, root) {
    this.model = model;
    this.root = root;
    /** @type {FormSetup} */
    this.setup = model.get("setup");
    /** @type {FormState} */
    this.state = model.get("state");
    this.heard = true;
    this.typing = false;
    this.unanswered = false;
    /** @type {number | null} the token of the preview that this tab has confirmed */
    this.clicked = null;
    /** @type {string | undefined} the question for a password that had the focus last */
    this.asked = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.waiting = undefined;
    this.list = `sl-${Math.random().toString(36).slice(2)}`;
    root.addEventListener("keydown", (event) => this.#key(event));
    this.draw();
    this.#fill();
  }

  /**
   * Enter inside a field never spends, Escape leaves, and no key reaches the notebook's command mode.
   *
   * @param {KeyboardEvent} event
   */
  #key(event) {
    event.stopPropagation();
    const { activeElement } = document;
    if (event.key === "Escape" && activeElement instanceof HTMLElement) activeElement.blur();
    if (event.key === "Enter" && !(event.target instanceof HTMLButtonElement)) event.preventDefault();
  }

  /** @param {string} name @returns {HTMLInputElement | HTMLSelectElement | null} */
  #input(name) {
    return this.root.querySelector(`[name=${name}]`);
  }

  /** What is typed, of the fields that are there. */
  get fields() {
    return Object.fromEntries(this.setup.fields.map(({ name, value }) => [name, this.#input(name)?.value ?? value]));
  }

  #lookSoon() {
    this.typing = true; // what is shown no longer is what is typed
    this.draw();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.typing = false;
      this.model.send({ k: "look", fields: this.fields });
      this.draw();
    }, LOOK_AFTER_MS);
  }

  #confirm() {
    if (!this.#canSend) return;
    this.clicked = this.state.token;
    this.model.send({ k: "confirm", token: this.state.token });
    this.waiting = setTimeout(() => {
      this.unanswered = true;
      this.draw();
    }, ANSWER_WITHIN_MS);
    this.draw();
  }

  /** @param {boolean} alive */
  hear(alive) {
    this.heard = alive;
    this.draw();
  }

  get alive() {
    return this.heard || OVER.includes(this.state.step);
  }

  get #canSend() {
    const { state } = this;
    return this.alive && !this.typing && state.step === "previewed" && this.clicked !== state.token;
  }

  /** @param {FormState} state */
  update(state) {
    this.state = state;
    if (state.step !== "previewed" || state.token !== this.clicked) {
      clearTimeout(this.waiting);
      this.unanswered = false;
      this.clicked = null;
    }
    this.#fill();
    this.draw();
    this.#focusPassword();
  }

  // Where the person is in this form, or nowhere, the field that everything waits for has the focus.
  #focusPassword() {
    const { asks } = this.state;
    if (!asks?.id || asks.id === this.asked) return;
    this.asked = asks.id;
    const { activeElement } = document;
    if (activeElement && activeElement !== document.body && !this.root.contains(activeElement)) return;
    /** @type {HTMLInputElement | null} */ (this.root.querySelector(".secret input"))?.focus();
  }

  // What another tab typed belongs into these fields too; what was a secret belongs nowhere.
  #fill() {
    const { preview, forget } = this.state;
    const typed = preview?.typed ?? {};
    const inside = this.root.contains(document.activeElement);
    for (const { name, kind } of this.setup.fields) {
      const input = this.#input(name);
      if (!input) continue;
      if (forget && kind !== "choice") input.value = "";
      if (!this.typing && !inside && typed[name] !== undefined) input.value = typed[name];
    }
  }

  draw() {
    const { state, setup } = this;
    const done = state.step === "finalised";
    const what = `${setup.title}, ${setup.real ? "real TAO" : "play money"}`;
    write(
      html`<div class="card ${setup.real ? "real" : ""}" role="group" aria-label=${what} ?hidden=${done}>
          <div class="network">${networkBar(setup.real, setup.network)}</div>
          <div class="body">${this.#fields()}${this.#preview()}
            <div class="steps">${steps(state)}</div>
            ${this.#actions()}
            ${secretField(state.asks, this.model, this.alive)}
          </div>
        </div>
        <div class="receipt" role="status" ?hidden=${!done}>${done ? folded(state, setup) : nothing}</div>`,
      this.root,
    );
  }

  #fields() {
    const settled = SETTLED.includes(this.state.step);
    const action = this.#input("action")?.value ?? this.setup.fields.find(({ name }) => name === "action")?.value ?? "";
    const shown = this.setup.fields.filter(({ only }) => !only.length || only.includes(action));
    return html`<div class="row ${shown.length > 2 ? "many" : ""}">${shown.map(
      (field) => html`<label class=${field.kind}>${field.label}${this.#field(field, settled)}</label>`,
    )}</div>`;
  }

  /** @param {Field} field @param {boolean} settled */
  #field({ name, kind, value, unit, choices, names, placeholder }, settled) {
    const look = this.#lookSoon.bind(this);
    if (kind === "choice") {
      const options = choices.map(
        (choice) => html`<option value=${choice.value} ?selected=${choice.value === value}>
          ${choice.label}  ${choice.detail}</option>`,
      );
      return html`<select name=${name} class="field" ?disabled=${settled} @input=${look}>${options}</select>`;
    }
    if (kind === "amount") {
      return html`<span class="field unit">
        <input name=${name} inputmode="decimal" autocomplete="off" spellcheck="false" placeholder="0"
          value=${value} ?disabled=${settled} @input=${look}>
        <span class="muted">${unit}</span></span>`;
    }
    return html`<input name=${name} class="field" autocomplete="off" spellcheck="false" list="${this.list}-${name}"
      inputmode=${kind === "number" ? "numeric" : "text"} placeholder=${placeholder} value=${value}
      ?disabled=${settled} @input=${look}><datalist id="${this.list}-${name}">${names.map(
        (each) => html`<option value=${each}></option>`,
      )}</datalist>`;
  }

  #preview() {
    const { preview } = this.state;
    const { setup } = this;
    if (preview?.facts.length) this.facts = preview.facts; // a refused preview leaves the last ones
    const facts = this.facts ?? [{ name: `Balance of ${setup.wallet}`, value: setup.balance }];
    return html`${preview?.vote ? voteBar(preview.vote) : nothing}<dl>${facts.map(fact)}</dl>`;
  }

  #actions() {
    const { state } = this;
    const refused = state.preview !== null && !state.preview.can;
    const bad = !this.alive || state.step === "failed" || state.step === "unknown" || refused;
    return html`<div class="actions">
      <span class="note ${bad ? "bad" : ""}" role="status">${this.#note()}</span>
      <button type="button" class="send" ?disabled=${!this.#canSend}
        @click=${this.#confirm.bind(this)}>${this.#label()}</button>
    </div>`;
  }

  #note() {
    const { state } = this;
    if (!this.alive && state.step === "sending") {
      return (
        "Disconnected from the kernel. It was sent once; what became of it is not known here. " +
        "Look at the balance: %sl wallet"
      );
    }
    if (!this.alive) return "Disconnected from the kernel; nothing can be sent from here";
    if (state.asks) return "Nothing is sent before the key is open";
    if (this.unanswered) return "The kernel is busy; the click waits for it, a second one does nothing";
    return state.note || "Nothing is sent yet";
  }

  #label() {
    const { state, setup } = this;
    if (!this.alive) return "Disconnected";
    if (state.asks) return "Waiting for the password";
    if (state.step === "sending" || this.clicked === state.token) {
      return setup.real ? "Waiting, about 12 s" : "Waiting for the block";
    }
    if (state.step === "unknown") return "Outcome unknown";
    return state.preview?.button || `${setup.title} …`;
  }

  destroy() {
    clearTimeout(this.timer);
    clearTimeout(this.waiting);
  }
}

/** @param {Fact} line */
const fact = ({ name, value, then, bad }) => html`${name === "Balance" ? html`<hr>` : nothing}<dt>${name}</dt>
  <dd class=${bad ? "bad" : ""}>${value}${then ? html` → <b>${then}</b>` : nothing}</dd>`;

/** @param {RenderContext} context */
function render(context) {
  const { model } = context;
  return show(context, "form", (root) => {
    const form = new Form(model, root);
    return {
      alive: (heard) => form.hear(heard),
      update: () => form.update(model.get("state")),
      over: () => OVER.includes(form.state.step),
      end: () => form.destroy(),
    };
  });
}

/** One bundle for all that shows money; `part` says which. @type {Record<string, (context: RenderContext) => () => void>} */
const PARTS = { form: render, ledger: renderLedger, password: renderPassword };

export default {
  /** @param {RenderContext} context */
  render: (context) => PARTS[context.model.get("part")]?.(context),
};
