// The money form: shows the kernel's state and sends two messages, "look" while typing and "confirm" on the click.
// It never decides: whether a click counts is the kernel's word, so a second tab or a second click changes nothing.

import { escape } from "./words.js";

const STEPS = ["previewed", "sending", "finalised"];
const STEP_NAMES = { previewed: "Previewed", sending: "Sent", finalised: "Finalised" };
const LOOK_AFTER_MS = 250;
const HEARTBEAT_MS = 4000;

const verb = (setup) => (setup.kind === "stake" ? "Stake" : "Pay");

class Form {
  constructor(model, root) {
    this.model = model;
    this.root = root;
    this.setup = model.get("setup");
    this.state = model.get("state");
    this.root.innerHTML = this.#frame();
    this.part = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((el) => [el.dataset.part, el]));
    this.amount = root.querySelector("[name=amount]");
    this.target = root.querySelector("[name=target]");
    for (const field of [this.amount, this.target]) field.addEventListener("input", () => this.#lookSoon());
    this.part.button.addEventListener("click", () => this.#confirm());
    // Enter inside a field never spends, and keys never reach the notebook's command mode.
    root.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Enter" && event.target !== this.part.button) event.preventDefault();
    });
    this.draw();
  }

  #frame() {
    const { setup } = this;
    const where = setup.real ? `<b>REAL TAO</b><span>${escape(setup.network)}, this money is real</span>` : `<b>Play money</b><span>${escape(setup.network)} on this machine, worth nothing</span>`;
    const options = setup.choices.map((c) => `<option value="${escape(c.value)}" ${c.value === setup.target ? "selected" : ""}>${escape(c.label)} ${escape(c.detail)}</option>`).join("");
    const target = setup.choices.length ? `<select name="target" class="inp">${options}</select>` : `<input name="target" class="inp" autocomplete="off" spellcheck="false" placeholder="5… or alice" value="${escape(setup.target)}">`;
    return `<div class="card ${setup.real ? "real" : ""}"><div class="net">${where}</div><div class="bd">
      <div class="row"><label>Amount, ${escape(setup.unit)}<input name="amount" class="inp" inputmode="decimal" autocomplete="off" placeholder="0"></label>
      <label>${setup.kind === "stake" ? "Validator" : "To"}${target}</label></div>
      <div data-part="vote"></div><dl data-part="facts"><dt>Balance of ${escape(setup.wallet)}</dt><dd>${escape(setup.balance)}</dd></dl>
      <div class="pg" data-part="steps"></div>
      <div class="ac"><span class="ln" role="status" data-part="note"></span><button type="button" class="btn" data-part="button" disabled></button></div></div></div>
      <div class="rc" data-part="receipt" hidden></div>`;
  }

  #lookSoon() {
    this.part.button.disabled = true; // what is shown no longer is what is typed
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.model.send({ k: "look", amount: this.amount.value, target: this.target.value }), LOOK_AFTER_MS);
  }

  #confirm() {
    this.part.button.disabled = true;
    this.model.send({ k: "confirm", token: this.state.token });
    this.waiting = setTimeout(() => {
      if (this.state.step === "previewed") this.part.note.textContent = "The kernel does not answer; nothing was sent as far as this page knows";
    }, HEARTBEAT_MS);
  }

  update(state) {
    this.state = state;
    if (state.step !== "previewed") clearTimeout(this.waiting);
    this.draw();
  }

  draw() {
    const { state, setup, part } = this;
    const preview = state.preview;
    const done = state.step === "finalised";
    const busy = state.step === "sending";
    this.amount.disabled = this.target.disabled = busy || done;
    part.vote.innerHTML = preview?.vote ? voteBar(preview.vote) : "";
    if (preview?.facts.length) part.facts.innerHTML = preview.facts.map((f) => `<dt>${escape(f.name)}</dt><dd class="${f.bad ? "bad" : ""}">${escape(f.value)}</dd>`).join("");
    part.steps.innerHTML = steps(state.step);
    part.note.textContent = state.note || "Nothing is sent yet";
    part.note.classList.toggle("bad", ["failed", "unknown"].includes(state.step) || (preview !== null && !preview.can));
    part.button.textContent = busy ? "Waiting for the block" : `${verb(setup)} ${this.amount.value || "…"} ${setup.unit}`;
    part.button.disabled = state.step !== "previewed";
    this.root.querySelector(".card").hidden = done;
    part.receipt.hidden = !done;
    if (done) part.receipt.innerHTML = receipt(state, setup);
  }
}

function voteBar({ before, after }) {
  const b = before.toFixed(1), a = after.toFixed(1);
  return `<div class="vw"><p><span class="m">Voting weight of this validator</span><b>${b} → ${a}\u2009%</b></p>
    <svg width="100%" height="10" role="img" aria-label="Voting weight ${b} to ${a} per cent"><rect width="100%" height="10" fill="var(--fill)"/><rect width="${a}%" height="10" fill="var(--work2)"/><rect width="${b}%" height="10" fill="var(--work)"/></svg></div>`;
}

function steps(step) {
  const reached = STEPS.indexOf(step);
  return STEPS.map((name, i) => `<div class="${i < reached || step === "finalised" ? "ok" : i === reached ? (step === "sending" ? "go" : "ok") : ""}">${STEP_NAMES[name]}</div>`).join("");
}

function receipt(state, setup) {
  return `<span><span class="dot sq"></span><b>Finalised</b></span><span>${escape(state.note)}</span><span class="m">block ${state.receipt.block}</span>
    <span class="m" title="${escape(state.receipt.tx)}">${escape(state.receipt.tx.slice(0, 10))}…</span><span class="sp"></span><span class="money ${setup.real ? "real" : ""}">${setup.real ? "REAL TAO" : "play money"}, ${escape(setup.network)}</span>`;
}

function render({ model, el, signal }) {
  const root = el.appendChild(document.createElement("div"));
  root.className = "sl sl-form";
  const form = new Form(model, root);
  const update = () => form.update(model.get("state"));
  model.on("change:state", update);
  const end = () => model.off("change:state", update);
  signal?.addEventListener("abort", end);
  return end;
}

export default { render };
