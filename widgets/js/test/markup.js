// The markup of a lit template as text: what a test reads where there is no page.

import { nothing } from "lit-html";

// A value as it would be in the page, before escaping, which is lit's own.
const written = (value) => {
  if (value === nothing || value === undefined || value === null) return "";
  if (Array.isArray(value)) return value.map(written).join("");
  return value.strings ? markup(value) : String(value);
};

export const markup = ({ strings, values }) =>
  strings.map((text, i) => text + (i < values.length ? written(values[i]) : "")).join("");
