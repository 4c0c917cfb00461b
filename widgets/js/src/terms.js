// What a run speaks of: a model's loss where one is trained, and the scores of answers where none is.

import { loss, lossChange } from "./words.js";

/**
 * @typedef {object} Terms
 * @property {string} question over the curve
 * @property {(unit: string) => string} axis what the curve draws
 * @property {string} line the subnet's own line
 * @property {string} measure what the curve holds, in a sentence
 * @property {string} work what the miners are compared by
 * @property {string} worth the same as a column's head
 * @property {string} why what that means
 * @property {Record<string, string>} means what words of the flow mean here and not in every run
 * @property {(value: number) => string} shown a miner's worth
 * @property {(value: number, digits?: number) => string} level a point of the curve
 */

/** @type {Terms} */
const TRAINING = {
  question: "Does it learn?",
  axis: (unit) => `Loss on held-out data${unit ? `, ${unit}` : ""}; lower is better`,
  line: "the subnet",
  measure: "Loss",
  work: "Loss removed by each miner’s update",
  worth: "loss removed",
  why: "The share of the loss that goes when this miner’s update is applied alone.",
  means: {},
  shown: lossChange,
  level: loss,
};

const ANSWERED = "The mean of the scores that validators’ judges gave this miner’s answers.";

/** @type {Terms} */
const ANSWERING = {
  question: "How good are the answers?",
  axis: () => "Mean score of all miners, round by round; higher is better",
  line: "mean score",
  measure: "Mean score",
  work: "Score of each miner’s answers",
  worth: "score",
  why: ANSWERED,
  means: { work: "The answers to the tasks of one round, sealed until all are in.", score: ANSWERED },
  shown: loss,
  level: loss,
};

/** @param {{ trains?: boolean }} header */
export const termsOf = ({ trains }) => (trains === false ? ANSWERING : TRAINING);
