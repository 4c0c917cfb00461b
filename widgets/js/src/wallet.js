// The wallet of a notebook: connects wallets of this page, and asks them after the person has seen what for.
// The kernel is not believed here: the summary is read from the bytes, and the chain of a question is compared with
// the chain this page has shown from its first moment. The wallet's own window remains the last word.

import { html, nothing, render as write } from "lit-html";
import { Asking } from "./asking.js";
import { isReal, networkName, readPayload, readTransaction } from "./decode.js";
import { show } from "./heartbeat.js";
import { badge } from "./money.js";
import {
  accounts,
  codeOf,
  connectEvm,
  discover,
  evmWallets,
  extensions,
  hasEvm,
  hasExtension,
  REJECTED,
  requestEvm,
  signPayload,
  signRaw,
  wordsOf,
} from "./wallets.js";
import { visible } from "./words.js";

/** @import { EvmChain, EvmFields, Line, Model, Question, RenderContext, SpentRow, WalletSetup, WalletState } from "./types.js" */

const LOCK = "subnetlab-wallet";
const MANY = "another prompt of this browser is open; answer that one first";

/** @param {Question} question */
const able = ({ method, params }) =>
  method === "evm.request" ? hasEvm(params.rdns) : hasExtension(/** @type {{ source: string }} */ (params).source);

class Wallet {
  /**
   * @param {Model} model
   * @param {HTMLElement} root
   */
  constructor(model, root) {
    this.model = model;
    this.root = root;
    /** @type {WalletSetup} as it was first shown; a kernel that changes it later changes nothing here */
    this.setup = structuredClone(model.get("setup"));
    /** @type {WalletState} */
    this.state = model.get("state");
    this.heard = true;
    this.busy = "";
    this.note = "";
    this.unreachable = false;
    /** @type {Question | null} */
    this.question = null;
    this.asking = new Asking(model, {
      able,
      open: () => Boolean(this.state.asking),
      show: (question) => {
        this.question = question;
        this.busy = "";
        this.draw();
      },
    });
    this.stop = discover(() => this.draw());
    root.addEventListener("keydown", (event) => event.stopPropagation());
    this.leave = () => this.asking.leave();
    globalThis.addEventListener("pagehide", this.leave);
    this.draw();
  }

  get real() {
    return isReal({ genesis: this.setup.genesis, id: this.setup.evm.id, real: this.setup.real });
  }

  /** @param {boolean} alive */
  hear(alive) {
    this.heard = alive;
    this.draw();
  }

  /** @param {string} source */
  async connect(source) {
    await this.#doing(`Look for the window of ${visible(source)}`, async () => {
      this.model.send({ k: "accounts", accounts: await accounts(source) });
    });
  }

  /** @param {string} rdns */
  async connectEvm(rdns) {
    const chain = /** @type {EvmChain} */ (this.setup.evm);
    await this.#doing("Look for the wallet's window: it signs a sentence, no money moves", async () => {
      const told = await connectEvm(rdns, chain, this.setup.network, this.state.sentence);
      this.model.send({ k: "evm", ...told });
    });
  }

  /** @param {string} said @param {() => Promise<void>} work */
  async #doing(said, work) {
    if (this.busy) return;
    this.busy = said;
    this.note = "";
    this.draw();
    try {
      await work();
      this.unreachable = false;
    } catch (error) {
      this.note = wordsOf(error);
      this.unreachable = this.note.includes("cannot reach this node");
    }
    this.busy = "";
    this.draw();
  }

  // One prompt at a time, also across the tabs of this browser: two wallets' windows are easily taken for one.
  async approve() {
    const { question } = this;
    if (!question || this.busy) return;
    this.busy = "Look for the wallet's window";
    this.draw();
    const answer = await alone(() => this.#ask(question)).catch((error) => ({
      error: { code: codeOf(error), message: wordsOf(error), asked: Boolean(error?.asked) },
    }));
    if (this.question !== question) return; // it is over meanwhile; nothing of this goes to the kernel
    if (answer === null) {
      this.busy = "";
      this.note = MANY;
      this.draw();
      return;
    }
    if ("error" in answer && answer.error.message.includes("cannot reach this node")) this.unreachable = true;
    this.asking.answer(question.id, answer);
  }

  refuse() {
    if (this.question && !this.busy) {
      this.asking.answer(this.question.id, { error: { code: REJECTED, message: "the person said no" } });
    }
  }

  /** @param {Question} question */
  async #ask({ method, params }) {
    const { setup } = this;
    if (method === "extrinsic.sign") {
      return { result: await signPayload(params.source, params.payload, setup.genesis) };
    }
    if (method === "bytes.sign") return { result: await signRaw(params.source, params.address, params.data) };
    return { result: await requestEvm(params, /** @type {EvmChain} */ (setup.evm), setup.network) };
  }

  draw() {
    const { setup, real } = this;
    write(
      html`<div class="card ${real ? "real" : ""}" role="group" aria-label="Wallet, ${real ? "real TAO" : "play money"}">
        <div class="network"><b>${real ? "REAL TAO" : "Play money"}</b>
          <span>${networkName(setup.genesis) || setup.network}${real ? ", this money is real" : ", worth nothing"}</span></div>
        <div class="body">${this.question ? this.#request(this.question) : this.#halves()}
          <p class="note ${this.note ? "bad" : ""}" role="status">${this.#note()}</p>
          ${this.unreachable && !real ? this.#disposable() : nothing}
          ${this.state.spent.length ? spent(this.state.spent) : nothing}
        </div>
      </div>`,
      this.root,
    );
  }

  #note() {
    if (!this.heard) return "Disconnected from the kernel; nothing can be signed from here";
    if (this.busy || this.note) return this.busy || this.note;
    if (this.state.note) return this.state.note;
    if (this.state.asking && !this.question) return "Another page is asking a wallet, or this one has not that wallet";
    return "Keys stay in your wallet; this page and the kernel never see them";
  }

  /** @param {Question} question */
  #request(question) {
    const { what, read, lines, says } = described(question, this.#known());
    return html`<h3>${what}${badge(this.real, this.setup.network)}</h3>
      <dl>${lines.map(line)}<dt>signed by</dt><dd class="address">${question.params.address}</dd></dl>
      ${read ? nothing : html`<p class="note bad">This page cannot read all of it; sign only what your wallet shows.</p>`}
      ${says ? html`<p class="note">The notebook says: ${says}</p>` : nothing}
      <div class="actions">
        <button type="button" class="refuse" ?disabled=${Boolean(this.busy)} @click=${() => this.refuse()}>Refuse</button>
        <button type="button" class="send" ?disabled=${Boolean(this.busy) || !this.heard}
          @click=${() => this.approve()}>Ask my wallet</button></div>`;
  }

  #known() {
    const { says } = /** @type {{ says?: { to?: string } }} */ (this.question?.params ?? {});
    return [says?.to ?? "", ...this.state.accounts.map(({ address }) => address)].filter(Boolean);
  }

  #halves() {
    const { state } = this;
    const [first] = state.accounts;
    const names = extensions();
    const wallets = evmWallets();
    return html`<div class="half" data-half="substrate"><h3>Coldkey</h3>
        ${first ? this.#address(first.address, first.name) : nothing}
        ${names.map((name) => this.#button(name, () => this.connect(name)))}
        ${names.length ? nothing : html`<p class="note">No Polkadot.js, Talisman or SubWallet in this page</p>`}</div>
      <div class="half" data-half="evm"><h3>EVM key</h3>
        ${state.evm.address ? this.#address(state.evm.address, state.evm.own ? "disposable key" : state.evm.name) : nothing}
        ${this.setup.evm.id ? wallets.map(({ rdns, name }) => this.#button(name, () => this.connectEvm(rdns))) : nothing}
        ${this.#noEvm(wallets.length)}</div>`;
  }

  /** @param {number} wallets */
  #noEvm(wallets) {
    if (!this.setup.evm.id) return html`<p class="note">This node does not answer for the EVM</p>`;
    return wallets ? nothing : html`<p class="note">No wallet of the EVM in this page</p>`;
  }

  /** @param {string} name @param {() => void} click */
  #button(name, click) {
    return html`<button type="button" class="connect" ?disabled=${Boolean(this.busy) || !this.heard}
      @click=${click}>Connect ${visible(name)}</button>`;
  }

  #disposable() {
    return html`<p class="note">For play money a key of its own will do: it lives in the kernel's memory and is gone with it.</p>
      <button type="button" class="disposable" @click=${() => this.model.send({ k: "disposable" })}>Use a disposable
        development key</button>`;
  }

  /** @param {string} address @param {string} name */
  #address(address, name) {
    const [side, path] = this.state.qr[address] ?? [0, ""];
    return html`<div class="who"><svg class="qr" viewBox="0 0 ${side} ${side}" role="img" aria-label="QR code of ${address}">
        <rect width=${side} height=${side} fill="#fff"></rect><path d=${path} fill="#000"></path></svg>
      <div><span class="muted">${name}</span><code class="address">${address}</code>
        <button type="button" class="copy" @click=${(/** @type {Event} */ event) => copy(event, address)}>Copy</button></div></div>`;
  }

  destroy() {
    globalThis.removeEventListener("pagehide", this.leave);
    this.asking.leave();
    this.stop();
  }
}

/**
 * What a question asks, as this page reads it.
 *
 * @param {Question} question
 * @param {string[]} known
 */
export function described(question, known) {
  const { method, params } = question;
  if (method === "extrinsic.sign") return { ...readPayload(params.payload, known), says: told(params.says) };
  if (method === "bytes.sign") {
    return {
      what: "Sign a message",
      read: true,
      lines: [{ name: "bytes", value: params.data.slice(0, 200) }],
      says: "",
    };
  }
  if (params.method === "eth_sendTransaction") {
    return { ...readTransaction(/** @type {EvmFields} */ (params.params[0] ?? {}), known), says: told(params.says) };
  }
  const value = JSON.stringify(params.params).slice(0, 600);
  return { what: "Sign a message", read: true, lines: [{ name: params.method, value }], says: "" };
}

/** @param {{ summary?: string, fee_rao?: string }} says */
const told = ({ summary, fee_rao }) =>
  summary ? `${visible(summary)}, for a fee of about ${Number(fee_rao ?? 0) / 1e9} τ` : "";

/** @template T @param {() => Promise<T>} work @returns {Promise<T | null>} null where another prompt is open */
const alone = (work) =>
  navigator.locks ? navigator.locks.request(LOCK, { ifAvailable: true }, (lock) => (lock ? work() : null)) : work();

/** @param {Line} given */
const line = ({ name, value }) => html`<dt>${name}</dt><dd class="address">${value}</dd>`;

/** @param {SpentRow[]} rows */
const spent = (rows) =>
  html`<table class="spent"><caption>Spent on this chain</caption><tbody>${rows.map(
    (row) => html`<tr class=${row.outcome}><td>${row.what}</td><td class="number">${row.amount}</td>
    <td class="address" title=${row.to}>${row.to ? `${row.to.slice(0, 8)}…` : "the chain"}</td><td title=${row.tx}>${outcome(row)}</td></tr>`,
  )}</tbody></table>`;

/** @param {SpentRow} row */
const outcome = (row) => (row.outcome === "done" ? `block ${row.block}` : row.outcome);

/** @param {Event} event @param {string} text */
async function copy(event, text) {
  const button = /** @type {HTMLButtonElement} */ (event.currentTarget);
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Select it and copy"; // no clipboard without HTTPS
  }
}

/** @param {RenderContext} context */
function render(context) {
  const { model } = context;
  return show(context, "wallet", (root) => {
    const wallet = new Wallet(model, root);
    return {
      alive: (heard) => wallet.hear(heard),
      update: () => {
        wallet.state = model.get("state");
        wallet.draw();
      },
      receive: (message) => wallet.asking.hear(message),
      end: () => wallet.destroy(),
    };
  });
}

export default { render };
