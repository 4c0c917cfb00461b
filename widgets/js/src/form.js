// The money form: shows the kernel's state and sends "look" while typing and "confirm" on the click.
// It never decides: whether a click counts is the kernel's word, so a second tab or a second click changes nothing,
// and the button says what the kernel has previewed, not what this tab's fields hold.

import { Alive, greet } from "./alive.js";
import { folded, steps, voteBar } from "./money.js";
import { escape } from "./words.js";

const LOOK_AFTER_MS = 250;
const ANSWER_WITHIN_MS = 4000;
const SETTLED = ["sending", "finalised", "unknown"];
const OVER = ["finalised", "unknown"]; // nothing more can come, so the kernel beats no more

class Form {
  constructor(model, root) {
    this.model = model;
    this.root = root;
    this.setup = model.get("setup");
    this.state = model.get("state");
    this.heard = true;
    this.typing = false;
    this.root.innerHTML = this.#frame();
    this.part = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((el) => [el.dataset.part, el]));
    this.amount = root.querySelector("[name=amount]");
    this.target = root.querySelector("[name=target]");
    for (const field of [this.amount, this.target]) field.addEventListener("input", () => this.#lookSoon());
    this.part.button.addEventListener("click", () => this.#confirm());
    root.addEventListener("keydown", (event) => this.#key(event));
    this.#fill();
    this.draw();
  }

  #frame() {
    const { setup } = this;
    const where = setup.real ? `<b>REAL TAO</b><span>${escape(setup.network)}, this money is real</span>` : `<b>Play money</b><span>${escape(setup.network)}, worth nothing</span>`;
    const options = setup.choices.map((c) => `<option value="${escape(c.value)}" ${c.value === setup.target ? "selected" : ""}>${escape(c.label)}  ${escape(c.detail)}</option>`).join("");
    const names = setup.names.map((name) => `<option value="${escape(name)}"></option>`).join("");
    const list = `sl-${Math.random().toString(36).slice(2)}`;
    const target = setup.kind === "stake"
      ? `<select name="target" class="inp">${options}</select>`
      : `<input name="target" class="inp" autocomplete="off" spellcheck="false" list="${list}" placeholder="${names ? "a name, or 5…" : "5…"}" value="${escape(setup.target)}"><datalist id="${list}">${names}</datalist>`;
    return `<div class="card ${setup.real ? "real" : ""}" role="group" aria-label="${setup.kind === "stake" ? "Stake" : "Pay"}, ${setup.real ? "real TAO" : "play money"}"><div class="net">${where}</div><div class="bd">
      <div class="row"><label>Amount<span class="inp unit"><input name="amount" inputmode="decimal" autocomplete="off" spellcheck="false" placeholder="0" value="${escape(setup.amount)}"><span class="m">${escape(setup.unit)}</span></span></label>
      <label>${setup.kind === "stake" ? "Validator" : "To"}${target}</label></div>
      <div data-part="vote"></div><dl data-part="facts"><dt>Balance of ${escape(setup.wallet)}</dt><dd>${escape(setup.balance)}</dd></dl>
      <div class="pg" data-part="steps"></div>
      <div class="ac"><span class="ln" role="status" data-part="note"></span><button type="button" class="btn" data-part="button" disabled></button></div></div></div>
      <div class="rc" data-part="folded" role="status" hidden></div>`;
  }

  // Enter inside a field never spends, Escape leaves, and no key reaches the notebook's command mode.
  #key(event) {
    event.stopPropagation();
    if (event.key === "Escape") document.activeElement?.blur();
    if (event.key === "Enter" && event.target !== this.part.button) event.preventDefault();
  }

  #lookSoon() {
    this.typing = true;
    this.part.button.disabled = true; // what is shown no longer is what is typed
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.typing = false;
      this.model.send({ k: "look", amount: this.amount.value, target: this.target.value });
    }, LOOK_AFTER_MS);
  }

  #confirm() {
    if (this.part.button.disabled) return;
    this.part.button.disabled = true;
    this.clicked = this.state.token;
    this.model.send({ k: "confirm", token: this.state.token });
    this.waiting = setTimeout(() => { this.unanswered = true; this.draw(); }, ANSWER_WITHIN_MS);
  }

  hear(alive) {
    this.heard = alive;
    this.draw();
  }

  get alive() {
    return this.heard || OVER.includes(this.state.step);
  }

  update(state) {
    this.state = state;
    if (state.step !== "previewed" || state.token !== this.clicked) {
      clearTimeout(this.waiting);
      this.unanswered = false;
      this.clicked = null;
    }
    this.#fill();
    this.draw();
  }

  // What another tab typed belongs into these fields too; what was a secret belongs nowhere.
  #fill() {
    const { preview, forget } = this.state;
    if (forget) {
      this.amount.value = "";
      if (this.setup.kind !== "stake") this.target.value = "";
    }
    if (this.typing || !preview?.money || this.root.contains(document.activeElement)) return;
    this.amount.value = preview.amount;
    this.target.value = preview.target;
  }

  draw() {
    const { state, setup, part } = this;
    const preview = state.preview;
    const done = state.step === "finalised";
    this.amount.disabled = this.target.disabled = SETTLED.includes(state.step);
    part.vote.innerHTML = preview?.vote ? voteBar(preview.vote) : "";
    if (preview?.facts.length) part.facts.innerHTML = preview.facts.map(fact).join("");
    part.steps.innerHTML = steps(state);
    part.note.textContent = this.#note();
    part.note.classList.toggle("bad", !this.alive || ["failed", "unknown"].includes(state.step) || (preview !== null && !preview.can));
    part.button.textContent = this.#label();
    part.button.disabled = !this.alive || this.typing || state.step !== "previewed" || this.clicked === state.token;
    this.root.querySelector(".card").hidden = done;
    part.folded.hidden = !done;
    if (done && !part.folded.innerHTML) part.folded.innerHTML = folded(state, setup);
  }

  #note() {
    const { state } = this;
    if (!this.alive && state.step === "sending") return "Disconnected from the kernel. It was sent once; what became of it is not known here. Look at the balance: %sl wallet";
    if (!this.alive) return "Disconnected from the kernel; nothing can be sent from here";
    if (this.unanswered) return "The kernel is busy; the click waits for it, a second one does nothing";
    return state.note || "Nothing is sent yet";
  }

  #label() {
    const { state, setup } = this;
    if (!this.alive) return "Disconnected";
    if (state.step === "sending" || this.clicked === state.token) return setup.real ? "Waiting, about 12 s" : "Waiting for the block";
    if (state.step === "unknown") return "Outcome unknown";
    const verb = setup.real ? "Spend" : setup.kind === "stake" ? "Stake" : "Pay";
    return `${verb} ${state.preview?.money || `… ${setup.unit}`}`;
  }

  destroy() {
    clearTimeout(this.timer);
    clearTimeout(this.waiting);
  }
}

const fact = (f) => `${f.name === "Balance" ? "<hr>" : ""}<dt>${escape(f.name)}</dt><dd class="${f.bad ? "bad" : ""}">${escape(f.value)}${f.then ? ` → <b>${escape(f.then)}</b>` : ""}</dd>`;

function render({ model, el, signal }) {
  const root = el.appendChild(document.createElement("div"));
  root.className = "sl sl-form";
  const form = new Form(model, root);
  const alive = new Alive((now) => form.hear(now));
  const update = () => {
    alive.hear();
    form.update(model.get("state"));
    if (OVER.includes(form.state.step)) alive.stop();
  };
  const receive = () => {
    answered();
    alive.hear();
  };
  model.on("change:state", update);
  model.on("msg:custom", receive);
  const answered = greet(model);
  if (OVER.includes(form.state.step)) alive.stop();
  const end = () => {
    model.off("change:state", update);
    model.off("msg:custom", receive);
    alive.stop();
    answered();
    form.destroy();
  };
  signal?.addEventListener("abort", end);
  return end;
}

export default { render };
