// Light or dark before the first paint: what was chosen last, else what the system says. And by which clock times are told.
(() => {
  const kept = localStorage.getItem("studio-theme");
  if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) document.cookie = `studio-zone=${encodeURIComponent(zone)}; path=/; max-age=31536000; samesite=lax`;
})();
