// A password field below the cell whose key is locked; see secret.js.

import { html, nothing, render as write } from "lit-html";
import { greet, Heartbeat } from "./heartbeat.js";
import { networkBar } from "./money.js";
import { secretField } from "./secret.js";

/** @import { RenderContext } from "./types.js" */

/** @param {RenderContext} context */
export function renderPassword({ model, el, signal }) {
  const root = el.appendChild(document.createElement("div"));
  root.className = "sl sl-form sl-password";
  let alive = true;
  const draw = () => {
    const { asks } = model.get("state");
    const said = alive ? secretField(asks, model, true) : html`<p class="note bad">Disconnected from the kernel</p>`;
    if (!asks) {
      write(nothing, root);
      return;
    }
    const { spend } = asks;
    write(
      html`<div class="card ${spend?.real ? "real" : ""}" role="group" aria-label="Password">
        ${spend ? html`<div class="network">${networkBar(spend.real, spend.network)}</div>` : nothing}
        <div class="body">${spend ? html`<p class="what">To sign: ${spend.what}</p>` : nothing}${said}</div></div>`,
      root,
    );
  };
  const heartbeat = new Heartbeat((heard) => {
    alive = heard;
    draw();
  });
  const update = () => {
    const before = root.querySelector("input");
    heartbeat.hear();
    draw();
    const field = root.querySelector("input");
    if (field && field !== before) field.focus(); // the cell waits for it, and for nothing else
  };
  const receive = () => {
    answered();
    heartbeat.hear();
  };
  root.addEventListener("keydown", (event) => event.stopPropagation());
  model.on("change:state", update);
  model.on("msg:custom", receive);
  const answered = greet(model);
  draw();
  const end = () => {
    model.off("change:state", update);
    model.off("msg:custom", receive);
    heartbeat.stop();
    answered();
  };
  signal?.addEventListener("abort", end);
  return end;
}
