// The frame's behaviour: menu, theme, shortcuts, copying, errors of parts that refresh themselves.
(() => {
  const root = document.documentElement;
  const $ = (selector) => document.querySelector(selector);

  function isDark() {
    return root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  }
  function switchTheme() {
    root.dataset.theme = isDark() ? "light" : "dark";
    localStorage.setItem("studio-theme", root.dataset.theme);
    localStorage.setItem("adminTheme", JSON.stringify(root.dataset.theme));
  }
  function toggleMenu(button) {
    const open = $("#side").classList.toggle("is-open");
    button.setAttribute("aria-expanded", String(open));
  }
  function say(text, tone) {
    const box = $("#messages");
    if (!box) return;
    box.replaceChildren();
    const note = document.createElement("div");
    note.className = `note ${tone}`;
    const line = document.createElement("p");
    line.textContent = text;
    note.append(line);
    box.append(note);
    box.hidden = false;
  }
  window.studioSay = say;

  async function copy(button) {
    await navigator.clipboard.writeText($(button.dataset.copy).textContent.trim());
    const before = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = before; }, 1500);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.matches("[data-menu]")) toggleMenu(button);
    if (button.matches("[data-theme-toggle]")) switchTheme();
    if (button.matches("[data-shortcuts]")) $("#shortcuts")?.showModal();
    if (button.matches("[data-copy]")) copy(button);
  });

  const places = { h: "/", d: "/datasets/", f: "/fine-tunes/", m: "/models/", p: "/playground/" };
  let afterG = false;
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, dialog[open]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const search = $("[data-search]");
    if (event.key === "?") $("#shortcuts")?.showModal();
    else if (event.key === "/" && search) { event.preventDefault(); search.focus(); search.select?.(); }
    else if (afterG && places[event.key]) location.assign(places[event.key]);
    else if (event.key === "t") switchTheme();
    afterG = event.key === "g";
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
  });
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (button && event.target.method === "post" && !event.target.matches("[data-own]")) {
      setTimeout(() => { button.disabled = true; });
      setTimeout(() => { button.disabled = false; }, 4000);
    }
  });
  document.addEventListener("htmx:responseError", (event) => {
    if (event.detail.xhr.status < 500) return;
    say("This part could not be brought up to date. The studio may be restarting; it is tried again.", "");
  });
  document.addEventListener("htmx:configRequest", (event) => {
    const token = $("meta[name=csrf]")?.content;
    if (token) event.detail.headers["X-CSRFToken"] = token;
  });
})();
