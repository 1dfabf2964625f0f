// Rows by keyboard: j and k move, x ticks, o opens, e edits; on one row's page j and k go on and back.
(() => {
  let at = -1;
  const all = () => [...document.querySelectorAll("[data-row]")]; // asked anew: a row that was decided on is drawn anew

  function move(step) {
    const rows = all();
    at = Math.min(Math.max(at + step, 0), rows.length - 1);
    rows[at].focus();
    rows[at].scrollIntoView({ block: "nearest" });
  }
  const follow = (selector) => document.querySelector(selector)?.click();

  document.addEventListener("focusin", (event) => {
    const row = event.target.closest("[data-row]");
    if (row) at = all().indexOf(row);
  });
  document.addEventListener("keydown", (event) => {
    const box = event.target.matches?.("input[type=checkbox]");
    const typing = !box && event.target.closest?.("input, textarea, select, dialog[open]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const rows = all(), row = rows[at], page = row?.dataset.row;
    if (event.key === "j") rows.length ? move(1) : follow("[data-after]");
    else if (event.key === "k") rows.length ? move(-1) : follow("[data-before]");
    else if (event.key === "x" && row) row.querySelector("input[name=row]")?.click();
    else if (event.key === "o" && page) location.assign(page);
    else if (event.key === "e" && (page || !rows.length)) page ? location.assign(`${page}edit`) : follow("[data-edit]");
  });
  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-all]")) return;
    document.querySelectorAll("[data-rows] input[name=row]").forEach((each) => { each.checked = event.target.checked; });
  });
})();
