// The review queue by keyboard. On one item a key does what its button does; where that needs a reason, the key goes to
// the reason first, and Enter there does it. In the list j and k move, x ticks, Enter opens.
(() => {
  const $ = (selector) => document.querySelector(selector);
  const reason = $("#id_reason"), armed = $("[data-armed]"), help = $("#review-keys");
  let chosen = null;

  function arm(button) {
    chosen = button;
    const what = button.cloneNode(true);
    what.querySelector("kbd")?.remove();
    armed.textContent = `${what.textContent.trim()}: say why, then Enter. Esc leaves it.`;
    reason.focus();
  }
  function disarm() {
    chosen = null;
    armed.textContent = "";
    reason.blur();
  }
  function press(button) {
    if (button.matches("[data-reason]") && !reason.value.trim()) arm(button);
    else button.click();
  }
  function move(step) {
    const links = [...document.querySelectorAll("[data-item] a")];
    if (!links.length) return;
    const at = links.indexOf(document.activeElement.closest?.("[data-item]")?.querySelector("a"));
    links[Math.min(Math.max(at + step, 0), links.length - 1)].focus();
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-help]")) help.showModal();
  });
  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-all]")) return;
    document.querySelectorAll("input[name=item]").forEach((each) => { each.checked = event.target.checked; });
  });
  // Sent once, however often its key is pressed while the answer is on its way.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
    setTimeout(() => { delete form.dataset.sent; }, 4000);
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target === reason) {
      if (event.key === "Escape") disarm();
      if (event.key === "Enter" && !event.shiftKey && chosen) {
        event.preventDefault();
        if (reason.value.trim()) chosen.click();
      }
      return;
    }
    const box = event.target.matches?.("input[type=checkbox]");
    if (!box && event.target.closest?.("input, textarea, select, dialog[open]")) return;
    if (event.key === "?") help.showModal();
    else if (!$("[data-focus]")) {
      if (event.key === "j") move(1);
      else if (event.key === "k") move(-1);
      else if (event.key === "x") document.activeElement.closest?.("[data-item]")?.querySelector("input[name=item]")?.click();
      else return;
    }
    else if (event.key === "j") $("[data-after]")?.click();
    else if (event.key === "k") $("[data-before]")?.click();
    else if (event.key === "u") $("[data-up]").click();
    else {
      const button = $(`button[data-key="${CSS.escape(event.key)}"]`);
      if (!button) return;
      press(button);
    }
    event.preventDefault();
  });
})();
