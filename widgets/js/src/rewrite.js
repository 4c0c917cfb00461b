// Write markup into an element where it differs from what was written last: the same words again would still cost
// a layout, and take the focus of whoever reads. Nothing else may write into such an element.

export function rewrite(el, html) {
  if (el.written !== html) el.innerHTML = el.written = html;
}
