// A password field below the cell whose key is locked; see secret.js.

import { html, nothing, render as write } from "lit-html";
import { show } from "./heartbeat.js";
import { networkBar } from "./money.js";
import { secretField } from "./secret.js";

/** @import { Model, RenderContext } from "./types.js" */

/** @param {RenderContext} context */
export function renderPassword(context) {
  const { model } = context;
  return show(context, "password", (root) => {
    let alive = true;
    root.classList.add("sl-form");
    const draw = () => write(asked(model, alive), root);
    root.addEventListener("keydown", (event) => event.stopPropagation());
    draw();
    return {
      alive: (heard) => {
        alive = heard;
        draw();
      },
      update: () => {
        const before = root.querySelector("input");
        draw();
        const field = root.querySelector("input");
        if (field && field !== before) field.focus(); // the cell waits for it, and for nothing else
      },
    };
  });
}

/** @param {Model} model @param {boolean} alive */
function asked(model, alive) {
  const { asks } = model.get("state");
  if (!asks) return nothing;
  const { spend } = asks;
  const said = alive ? secretField(asks, model, true) : html`<p class="note bad">Disconnected from the kernel</p>`;
  return html`<div class="card ${spend?.real ? "real" : ""}" role="group" aria-label="Password">
    ${spend ? html`<div class="network">${networkBar(spend.real, spend.network)}</div>` : nothing}
    <div class="body">${spend ? html`<p class="what">To sign: ${spend.what}</p>` : nothing}${said}</div></div>`;
}
