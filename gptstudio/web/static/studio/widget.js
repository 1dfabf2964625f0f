// A chat on any web page: <script src="…/static/studio/widget.js" data-key="pk-studio-…" data-model="…" defer></script>.
// It asks the studio that it came from, keeps the conversation in this page's memory alone, and needs nothing else.
(() => {
  const script = document.currentScript;
  const { key, model, title = "Chat", greeting = "", theme = "", label = "Chat with us", longest = "" } = script.dataset;
  const address = new URL("/v1/chat/completions", script.src).href;
  const MOST_TURNS = 21; // odd: what is sent begins with a question, as many models want it
  const limits = longest ? { max_tokens: Number(longest) } : {};
  const STYLE = `
    :host { all: initial; color-scheme: light dark; --surface: light-dark(#fff, #1e1d1a); --sunken: light-dark(#f1f0ec, #161513);
      --line: light-dark(#cfccc4, #46433d); --ink: light-dark(#1d1c1a, #f1efea); --ink-2: light-dark(#5b5852, #b3afa6);
      --accent: light-dark(#2b4fd8, #8ea6ff); --accent-ink: light-dark(#fff, #10131f); --bad: light-dark(#b3261e, #f28b82);
      --bad-soft: light-dark(#fbe9e7, #3a1c1a); }
    :host([data-theme="light"]) { color-scheme: light; } :host([data-theme="dark"]) { color-scheme: dark; }
    * { box-sizing: border-box; } [hidden] { display: none !important; }
    .open, .panel { position: fixed; right: 16px; bottom: 16px; z-index: 2147483000; font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; color: var(--ink); }
    button { font: inherit; font-weight: 500; border-radius: 8px; border: 1px solid var(--line); background: var(--surface); color: var(--ink); padding: 7px 13px; cursor: pointer; }
    button.main, .open { background: var(--accent); border-color: var(--accent); color: var(--accent-ink); }
    .open { border-radius: 24px; padding: 11px 20px; box-shadow: 0 2px 12px rgb(0 0 0 / 25%); }
    button:disabled { opacity: .55; cursor: not-allowed; }
    :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
    .panel { width: 380px; height: min(600px, calc(100vh - 32px)); background: var(--surface); border: 1px solid var(--line); border-radius: 12px; box-shadow: 0 4px 24px rgb(0 0 0 / 25%); display: grid; grid-template-rows: auto minmax(0, 1fr) auto auto; overflow: hidden; }
    header { display: flex; justify-content: space-between; align-items: center; gap: 12px; padding: 12px 16px; border-bottom: 1px solid var(--line); }
    h2 { font-size: 16px; font-weight: 600; margin: 0; overflow-wrap: anywhere; }
    .log { overflow-y: auto; padding: 16px; display: grid; gap: 10px; align-content: start; }
    .turn { margin: 0; padding: 8px 12px; border-radius: 10px; background: var(--sunken); white-space: pre-wrap; overflow-wrap: anywhere; max-width: 88%; justify-self: start; }
    .turn.mine { background: var(--accent); color: var(--accent-ink); justify-self: end; }
    .error { margin: 0 16px; padding: 8px 12px; border-radius: 8px; background: var(--bad-soft); }
    form { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 8px; padding: 12px 16px; align-items: end; }
    textarea { font: inherit; color: var(--ink); background: var(--surface); border: 1px solid var(--line); border-radius: 8px; padding: 7px 10px; resize: none; width: 100%; }
    .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
    @media (max-width: 480px) { .panel { inset: 0; width: auto; height: auto; border: 0; border-radius: 0; } }`;
  const SAID = {
    403: "This chat is not available.", // its model is not released any more; a refused key or origin cannot be read here
    404: "This chat is not available.",
    429: "Too many questions at the moment. Try again in a minute.",
  };
  const AWAY = "The chat cannot be reached. Try again in a moment.";
  const CLOSED = SAID[403];

  function made(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  const open = made("button", { class: "open", type: "button", "aria-expanded": "false", "aria-haspopup": "dialog" }, label);
  const close = made("button", { type: "button" }, "Close");
  const log = made("div", { class: "log", role: "log", "aria-label": "Conversation", tabindex: "0" });
  const wrong = made("p", { class: "error", role: "alert", hidden: "" });
  const text = made("textarea", { id: "say", rows: "2", maxlength: "4000", placeholder: "Your question" });
  const send = made("button", { class: "main" }, "Send");
  const stop = made("button", { type: "button", hidden: "" }, "Stop");
  const form = made("form", {}, made("label", { for: "say", class: "unseen" }, "Your question"), text, send, stop);
  const head = made("header", {}, made("h2", { id: "title" }, title), close);
  const panel = made("section", { class: "panel", role: "dialog", "aria-labelledby": "title", hidden: "" }, head, log, wrong, form);
  const host = made("div", theme ? { "data-theme": theme } : {});
  const shadow = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet(); // a page's policy against inline styles does not concern it
  sheet.replaceSync(STYLE);
  shadow.adoptedStyleSheets = [sheet];
  shadow.append(open, panel);

  const turns = [];
  let under = null; // the request under way

  function show(isOpen) {
    panel.hidden = !isOpen;
    open.hidden = isOpen;
    open.setAttribute("aria-expanded", String(isOpen));
    (isOpen ? text : open).focus();
  }

  function say(words, who) {
    const name = made("span", { class: "unseen" }, who === "user" ? "You: " : "Answer: ");
    const said = document.createTextNode(words);
    log.append(made("p", { class: who === "user" ? "turn mine" : "turn" }, name, said));
    log.scrollTop = log.scrollHeight;
    return said;
  }

  function complain(words) {
    wrong.textContent = words;
    wrong.hidden = !words;
  }

  function busy(isBusy) {
    log.setAttribute("aria-busy", String(isBusy)); // a screen reader reads an answer once, when it is whole
    send.hidden = isBusy;
    stop.hidden = !isBusy;
  }

  async function sentence(response) {
    let error = {};
    try { error = (await response.json()).error ?? {}; } catch { /* not one of the studio's answers */ }
    if (error.code === "insufficient_quota") return "This chat is closed for now.";
    return SAID[response.status] ?? (response.status >= 500 ? AWAY : error.message ?? AWAY);
  }

  // A browser hides from the page why it was refused: a revoked key looks like a studio that is away. But whether the studio
  // answers at all can be found out.
  async function unread() {
    try {
      await fetch(script.src, { method: "HEAD", mode: "no-cors", credentials: "omit", cache: "no-store" });
    } catch {
      return AWAY;
    }
    return CLOSED;
  }

  async function* words(response) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        if (!line.startsWith("data: ") || line === "data: [DONE]") continue;
        const piece = JSON.parse(line.slice(6));
        if (piece.error) throw new Error(piece.error.message);
        yield piece.choices?.[0]?.delta?.content ?? "";
      }
    }
  }

  async function ask(question) {
    turns.push({ role: "user", content: question });
    say(question, "user");
    complain("");
    busy(true);
    under = new AbortController();
    let answer = "", said = null, response = null;
    try {
      response = await fetch(address, {
        method: "POST",
        credentials: "omit",
        signal: under.signal,
        headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
        body: JSON.stringify({ model, messages: turns.slice(-MOST_TURNS), stream: true, ...limits }),
      });
      if (!response.ok) throw Object.assign(new Error(await sentence(response)), { isSaid: true });
      for await (const word of words(response)) {
        answer += word;
        said ??= say("", "assistant");
        said.data = answer;
        log.scrollTop = log.scrollHeight;
      }
      if (!answer) complain("The answer was empty. Ask in other words.");
    } catch (error) {
      if (error.isSaid) complain(error.message);
      else if (error.name !== "AbortError") complain(response ? AWAY : await unread());
    } finally {
      if (answer) turns.push({ role: "assistant", content: answer });
      else turns.pop();
      under = null;
      busy(false);
      text.focus();
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const question = text.value.trim();
    if (!question || under) return;
    text.value = "";
    ask(question);
  });
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  panel.addEventListener("keydown", (event) => { if (event.key === "Escape") show(false); });
  stop.addEventListener("click", () => under?.abort());
  open.addEventListener("click", () => show(true));
  close.addEventListener("click", () => show(false));
  if (greeting) say(greeting, "assistant");
  const place = () => document.body.append(host);
  if (document.body) place();
  else document.addEventListener("DOMContentLoaded", place);
})();
