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
  // Sent once, however often it is clicked while the answer is on its way.
  document.addEventListener("submit", (event) => {
    const [form, button] = [event.target, event.submitter];
    if (form.method !== "post" || form.matches("[data-own]")) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    if (button) setTimeout(() => { button.disabled = true; });
    setTimeout(() => {
      delete form.dataset.sent;
      if (button) button.disabled = false;
    }, 4000);
  });
  document.addEventListener("htmx:responseError", (event) => {
    let said = {};
    try { said = JSON.parse(event.detail.xhr.responseText); } catch { said = {}; }
    if (said.code === "other_workspace") { say(said.error, "bad"); return; }
    if (event.detail.xhr.status < 500) return;
    say("This part could not be brought up to date. The studio may be restarting; it is tried again.", "");
  });
  // A part that brings itself up to date leaves open what a person opened in it.
  const opened = new Set();
  document.addEventListener("toggle", ({ target }) => {
    if (!target.id) return;
    if (target.open) opened.add(target.id);
    else opened.delete(target.id);
  }, true);
  function openAgain() {
    for (const id of opened) {
      const part = document.getElementById(id);
      if (part?.matches("details")) part.open = true;
    }
  }
  document.addEventListener("htmx:afterSwap", openAgain);
  document.addEventListener("htmx:oobAfterSwap", openAgain);
  // A table that is wider than its place can be moved with the keyboard, also where nothing in it can be reached.
  const widths = new ResizeObserver((seen) => seen.forEach(({ target }) => {
    const isStuck = target.scrollWidth > target.clientWidth && !target.querySelector("a[href], button, input, select, summary");
    if (!isStuck) ["tabindex", "role", "aria-label"].forEach((name) => target.removeAttribute(name));
    else Object.entries({ tabindex: "0", role: "region", "aria-label": "Table that moves sideways" }).forEach(([name, value]) => target.setAttribute(name, value));
  }));
  const watchWidths = () => document.querySelectorAll(".wide").forEach((part) => widths.observe(part));
  watchWidths();
  document.addEventListener("htmx:afterSwap", watchWidths);
  document.addEventListener("htmx:configRequest", (event) => {
    const token = $("meta[name=csrf]")?.content, workspace = $("meta[name=workspace]")?.content;
    if (token) event.detail.headers["X-CSRFToken"] = token;
    if (workspace) event.detail.headers["X-Workspace"] = workspace;
  });
})();
