// One bundle for the views of a chain; `part` says which. Money has a bundle of its own, and so has a run.

import { renderAttacks } from "./attacks.js";
import { renderExplorer } from "./explorer.js";
import { renderMetagraph } from "./metagraph.js";
import { renderYuma } from "./yuma.js";

/** @import { RenderContext } from "./types.js" */

/** @type {Record<string, (context: RenderContext) => () => void>} */
const PARTS = { attacks: renderAttacks, explorer: renderExplorer, metagraph: renderMetagraph, yuma: renderYuma };

export default {
  /** @param {RenderContext} context */
  render: (context) => PARTS[context.model.get("part")]?.(context),
};
