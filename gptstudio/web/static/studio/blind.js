// Judging by keyboard: buttons name their keys in data-keys. Nothing happens while somebody types or holds another key.
(() => {
  "use strict";
  const buttons = [...document.querySelectorAll("[data-keys]")];
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    if (event.target.closest("input, textarea, select")) return;
    const button = buttons.find((each) => each.dataset.keys.split(" ").includes(event.key));
    if (!button) return;
    event.preventDefault();
    button.click();
  });
})();
