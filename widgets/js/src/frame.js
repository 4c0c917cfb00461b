// The dashboard's frame: where each panel goes, and the question it answers. Panels are drawn into `data-part`s.

import { html } from "lit-html";

export const frame = html`<div class="status" data-part="status"></div>
  <h2 data-part="headline"></h2>
  <div class="spoken" role="status" aria-live="polite" data-part="spoken"></div>
  <div data-part="pictures">
    <div class="columns">
      <div>
        <h3 data-part="question"></h3>
        <p class="caption" data-part="unit"></p>
        <div data-part="curve" tabindex="0"></div>
      </div>
      <div>
        <h3 data-part="beside"></h3>
        <p class="caption" data-part="prompt"></p>
        <div data-part="samples"></div>
      </div>
    </div>
    <div class="columns">
      <div>
        <h3>Who does the work?</h3>
        <p class="caption" data-part="miners-said"></p>
        <div data-part="miners"></div>
      </div>
      <div>
        <h3>One against all</h3>
        <p class="caption">Grey: middle 80 % of those that work</p>
        <div data-part="focus"></div>
      </div>
    </div>
    <div data-part="flow"></div>
    <h3>Who gets paid?</h3>
    <p class="caption" data-part="sentence"></p>
    <div data-part="board"></div>
    <h3 class="gap">Where does a round go?</h3>
    <p class="caption" data-part="seconds"></p>
    <div data-part="split"></div>
  </div>
  <div data-part="twin" hidden></div>
  <label class="replay">
    <span>replay</span>
    <input type="range" min="1" max="1" value="1" aria-label="Round">
    <span data-part="at"></span>
  </label>`;
