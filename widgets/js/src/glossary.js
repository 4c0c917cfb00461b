// The glossary: one sentence for each chain word, shown on hover and on keyboard focus.

import { html } from "lit-html";

/** @type {Record<string, string>} */
const GLOSSARY = {
  work: "The inner optimizer steps of one round, then one compressed update.",
  score: "How much a validator’s loss falls when it applies this miner’s update alone.",
  rating: "The running average of a miner’s scores over rounds.",
  weight: "A validator’s vote: the share of pay it would give this miner.",
  consensus: "The stake-weighted middle of all votes. A vote far above it is cut back.",
  incentive: "The miner’s share after consensus.",
  pay: "Alpha, the subnet’s own token, paid at the end of each tempo.",
  tempo: "Blocks between two pay days.",
};

/**
 * @param {string} word
 * @param {string | undefined} [text]
 */
export const explained = (word, text = GLOSSARY[word]) => html`<abbr tabindex="0" title=${text ?? ""}>${word}</abbr>`;
