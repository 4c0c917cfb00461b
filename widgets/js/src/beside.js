// The plain output beside a widget says the same for saved notebooks; while the widget lives it would say it twice.

export function besides(el, id) {
  const area = el.closest(".jp-OutputArea");
  const found = area ? [...area.querySelectorAll("[data-subnetlab-beside]")] : [];
  return found.filter((plain) => plain.dataset.subnetlabBeside === id).map((plain) => plain.closest(".jp-OutputArea-child") ?? plain);
}

// Hide it as long as the widget is shown, also when the notebook draws it later or anew; returns how to stop.
export function hideBeside(el, id) {
  const hide = (hidden) => besides(el, id).forEach((plain) => { plain.style.display = hidden ? "none" : ""; });
  const pulse = setInterval(() => hide(true), 500);
  requestAnimationFrame(() => hide(true));
  return () => {
    clearInterval(pulse);
    hide(false);
  };
}
