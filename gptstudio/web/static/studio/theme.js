// Light or dark before the first paint: what was chosen last, else what the system says.
(() => {
  const kept = localStorage.getItem("studio-theme");
  if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
})();
