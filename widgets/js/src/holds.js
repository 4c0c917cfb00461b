// What a block or an account holds: extrinsics with their calls, fees and outcomes, events, fields. No state.

import { html, nothing } from "lit-html";
import { counted } from "./following.js";

/** @import { AccountState, BlockState, ExtrinsicState } from "./types.js" */

/**
 * @typedef {object} Hands
 * @property {Set<number>} unfolded the extrinsics that are open
 * @property {boolean} live whether the kernel can be asked
 * @property {(number: number) => void} open a block
 * @property {(index: number) => void} turn an extrinsic
 * @property {(text: string) => void} find an address
 */

/**
 * @param {BlockState} block
 * @param {Hands} hands
 */
export function blockPanel(block, hands) {
  const rows = block.extrinsics.map((each) => extrinsic(each, hands));
  return html`<section class="panel" aria-label="Block ${block.number}">
    <h3>Block ${block.number}</h3>
    <dl><dt>hash</dt><dd class="key">${block.hash}</dd><dt>time</dt><dd>${block.time} UTC</dd>
      ${
        block.number > 0
          ? html`<dt>before it</dt><dd><button type="button" class="link" ?disabled=${!hands.live}
              @click=${() => hands.open(block.number - 1)}>block ${block.number - 1}</button></dd>`
          : nothing
      }</dl>
    ${block.complete ? nothing : html`<p class="muted">The node has forgotten this block’s events: fees and outcomes are unknown.</p>`}
    <div class="scroll"><table class="sheet"><thead><tr><th scope="col">#</th><th scope="col" class="text">call</th>
      <th scope="col" class="text">signed by</th><th scope="col">fee</th><th scope="col" class="text outcome">outcome</th></tr></thead>
      <tbody>${rows}</tbody></table></div>
    ${block.more ? html`<p class="muted">and ${counted(block.more, "extrinsic")} more</p>` : nothing}
    ${events(block.events, "of no extrinsic: what the chain does by itself")}</section>`;
}

/**
 * @param {ExtrinsicState} each
 * @param {Hands} hands
 */
function extrinsic(each, { unfolded, live, turn, find }) {
  const open = unfolded.has(each.i);
  const by = html`<button type="button" class="link key" title=${each.by} ?disabled=${!live}
    @click=${() => find(each.by)}>${short(each.by)}</button>`;
  return html`<tr class=${each.ok === false ? "bad" : ""}><td>${each.i}</td>
      <td class="text"><button type="button" class="link" data-extrinsic=${each.i} aria-expanded=${open}
        @click=${() => turn(each.i)}><i aria-hidden="true">${open ? "▾" : "▸"}</i> ${each.call}</button></td>
      <td class="text">${each.by ? by : html`<span class="muted">unsigned</span>`}</td><td>${each.fee}</td>
      <td class="text outcome">${outcome(each.ok, each.said)}</td></tr>
    ${open ? html`<tr class="inside"><td colspan="5">${inside(each)}</td></tr>` : nothing}`;
}

/** @param {ExtrinsicState} each */
function inside(each) {
  const given = each.arguments.map(([name, type, value]) => html`<dt title=${type}>${name}</dt><dd>${value}</dd>`);
  const fields = each.fields.map(([name, value]) => html`<dt class="muted">${name}</dt><dd class="key">${value}</dd>`);
  return html`<dl>${given}${fields}</dl>${events(each.events, "")}`;
}

/**
 * @param {[string, string][]} list
 * @param {string} which
 */
function events(list, which) {
  if (!list.length) return nothing;
  return html`<details><summary>${counted(list.length, "event")} ${which}</summary>
    <dl>${list.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl></details>`;
}

/**
 * @param {AccountState} account
 * @param {boolean} live
 * @param {(number: number) => void} open
 */
export function accountPanel(account, live, open) {
  const rows = account.extrinsics.map(
    ([block, index, call, role, ok, said]) =>
      html`<tr class=${ok === false ? "bad" : ""}><td><button type="button" class="link" ?disabled=${!live}
        @click=${() => open(block)}>${block}</button></td><td>${index}</td><td class="text">${call}</td>
        <td class="text">${role}</td><td class="text outcome">${outcome(ok, said)}</td></tr>`,
  );
  const fields = account.fields.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`);
  return html`<section class="panel" aria-label="Account">
    <h3>Account</h3>
    <dl><dt>address</dt><dd class="key">${account.address}</dd>
      ${account.evm ? html`<dt>mirror of</dt><dd class="key">${account.evm}</dd>` : nothing}${fields}</dl>
    <p class="muted">${rows.length ? "What it did" : "It did nothing"} since block ${account.since}; older blocks are not looked through.</p>
    ${
      rows.length
        ? html`<div class="scroll many"><table class="sheet"><thead><tr><th scope="col">block</th><th scope="col">#</th>
        <th scope="col" class="text">call</th><th scope="col" class="text">its part</th><th scope="col"
        class="text outcome">outcome</th></tr></thead><tbody>${rows}</tbody></table></div>`
        : nothing
    }
    ${account.more ? html`<p class="muted">and ${account.more} more</p>` : nothing}</section>`;
}

/**
 * @param {boolean | null} ok
 * @param {string} said
 */
const outcome = (ok, said) => (ok === false ? html`<i aria-hidden="true">◆</i> ${said}` : said);

/** @param {string} address */
const short = (address) => `${address.slice(0, 6)}…${address.slice(-4)}`;
