// Hits by keyboard: a says personal, r says not, on the hit that has the focus. Moving and ticking is rows.js.
(() => {
  document.addEventListener("keydown", (event) => {
    const box = event.target.matches?.("input[type=checkbox]");
    const typing = !box && event.target.closest?.("input, textarea, select, dialog[open]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const hit = event.target.closest?.(".hit");
    if (!hit) return;
    if (event.key === "x") hit.querySelector("input[name=hit]")?.click();
    else hit.querySelector(`[data-verdict="${CSS.escape(event.key)}"]`)?.click();
  });
  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-all-hits]")) return;
    document.querySelectorAll("input[name=hit]").forEach((each) => { each.checked = event.target.checked; });
  });
  // A decided hit is drawn anew: the focus stays on it, so that j and k go on from there.
  document.addEventListener("htmx:afterSwap", (event) => {
    const id = event.detail.target?.id;
    if (id?.startsWith("hit-")) document.getElementById(id)?.focus();
  });
})();
