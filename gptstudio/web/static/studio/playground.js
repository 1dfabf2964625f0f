// The playground: sends the conversation, shows the answer as it comes, stops when asked.
(() => {
  const form = document.querySelector("[data-playground]");
  if (!form) return;
  const find = (name) => document.querySelector(`[data-${name}]`);
  const talk = find("talk"), say = find("say"), status = find("status"), stop = find("stop"), send = find("send");
  let turns = [], asking = null;

  function show(role, text) {
    find("blank")?.remove();
    const box = document.createElement("div");
    box.className = `turn ${role}`;
    const who = document.createElement("span");
    who.className = "small dim";
    who.textContent = role === "user" ? "You" : find("model").value;
    const line = document.createElement("p");
    line.textContent = text;
    box.append(who, line);
    talk.append(box);
    talk.scrollTop = talk.scrollHeight;
    return [box, line];
  }
  function body() {
    const system = find("system").value.trim();
    return JSON.stringify({
      model: find("model").value,
      messages: [...(system ? [{ role: "system", content: system }] : []), ...turns],
      temperature: Number(find("temperature").value),
      max_tokens: Number(find("most").value),
    });
  }
  const pause = (time) => new Promise((resolve) => setTimeout(resolve, time));

  async function ask(signal) {
    const headers = { "Content-Type": "application/json", "X-CSRFToken": form.querySelector("[name=csrfmiddlewaretoken]").value };
    for (let tries = 0; ; tries += 1) {
      const response = await fetch(form.dataset.stream, { method: "POST", headers, body: body(), signal });
      if (response.ok) return response;
      const found = await response.json().catch(() => null);
      const error = found?.error ?? { message: "The studio did not answer.", fix: "Try again.", code: "" };
      if (error.code !== "model_not_loaded" || tries >= 30) throw new Error(`${error.message} ${error.fix}`.trim());
      status.textContent = "An engine is loading the model…";
      await pause(2000);
    }
  }
  async function* events(response) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let left = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const parts = (left + value).split("\n\n");
      left = parts.pop();
      for (const part of parts) if (part.startsWith("data: {")) yield JSON.parse(part.slice(6));
    }
  }
  // The training rows most like an answer, on a page of their own. The texts go along in the body: nothing of them is kept.
  function askWhy(id, asked, said) {
    const page = document.createElement("form");
    Object.assign(page, { method: "post", target: "_blank", rel: "noopener", action: form.dataset.why.replace("req_", id), hidden: true });
    const texts = {
      csrfmiddlewaretoken: form.querySelector("[name=csrfmiddlewaretoken]").value,
      question: asked.filter((turn) => turn.role === "user").at(-1)?.content ?? "",
      answer: said,
    };
    for (const [name, value] of Object.entries(texts)) {
      const field = document.createElement("textarea");
      Object.assign(field, { name, value });
      page.append(field);
    }
    document.body.append(page);
    page.submit();
    page.remove();
  }
  // Thumbs, a correction and the question why, under an answer; `asked` are the turns before it.
  function offerFeedback(box, id, asked, said) {
    const bar = document.createElement("div");
    bar.className = "acts";
    const add = (label, act) => {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", className: "btn slim", textContent: label });
      button.addEventListener("click", act);
      bar.append(button);
    };
    async function tell(opinion) {
      const headers = { "Content-Type": "application/json", "X-CSRFToken": form.querySelector("[name=csrfmiddlewaretoken]").value };
      const sent = JSON.stringify({ request: id, messages: asked, ...opinion });
      const response = await fetch(form.dataset.rate, { method: "POST", headers, body: sent });
      const found = await response.json().catch(() => ({ error: "The studio did not answer." }));
      window.studioSay(found.said ?? found.error, response.ok ? "good" : "bad");
      if (response.ok) { bar.replaceChildren(); offerWhy(); }
    }
    const offerWhy = () => { if (form.dataset.why) add("Why?", () => askWhy(id, asked, said)); };
    add("Good", () => tell({ rating: "up" }));
    add("Bad", () => tell({ rating: "down" }));
    add("Correct it", () => {
      bar.replaceChildren();
      const text = document.createElement("textarea");
      Object.assign(text, { rows: 3, value: said });
      text.setAttribute("aria-label", "What the answer should have been");
      bar.append(text);
      add("Send the correction", () => tell({ rating: "down", correction: text.value }));
      text.focus();
    });
    offerWhy();
    box.append(bar);
  }
  async function answer() {
    const began = performance.now();
    const [box, line] = show("assistant", "");
    const asked = JSON.parse(body()).messages;
    let first = 0, usage = null, filtered = false, id = "";
    box.classList.add("is-live");
    try {
      const response = await ask(asking.signal);
      id = response.headers.get("X-Request-Id") ?? "";
      for await (const event of events(response)) {
        if (event.error) throw new Error(event.error.message);
        const text = event.choices?.[0]?.delta?.content;
        if (text) {
          first ||= performance.now() - began;
          const low = talk.scrollHeight - talk.scrollTop - talk.clientHeight < 60;
          line.textContent += text;
          if (low) talk.scrollTop = talk.scrollHeight;
        }
        filtered ||= event.choices?.[0]?.finish_reason === "content_filter";
        usage = event.usage ?? usage;
      }
      const time = `first word after ${(first / 1000).toFixed(1)} s, all in ${((performance.now() - began) / 1000).toFixed(1)} s`;
      if (filtered) window.studioSay("A rule of this workspace stopped the answer.", "bad");
      status.textContent = usage ? `${usage.prompt_tokens} tokens read, ${usage.completion_tokens} written, ${time}` : time;
    } catch (error) {
      const stopped = error.name === "AbortError";
      status.textContent = stopped ? "Stopped. What was written until then is billed." : "";
      if (!stopped) { box.remove(); window.studioSay(error.message, "bad"); }
    }
    box.classList.remove("is-live");
    if (line.textContent && id) offerFeedback(box, id, asked, line.textContent);
    if (line.textContent) turns.push({ role: "assistant", content: line.textContent });
    else { box.remove(); say.value ||= turns.pop()?.content ?? ""; }
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = say.value.trim();
    if (!text || asking) return;
    say.value = "";
    turns.push({ role: "user", content: text });
    show("user", text);
    asking = new AbortController();
    send.disabled = true;
    stop.hidden = false;
    status.textContent = "Thinking…";
    await answer();
    asking = null;
    send.disabled = false;
    stop.hidden = true;
    say.focus();
  });
  stop.addEventListener("click", () => asking?.abort());
  find("clear").addEventListener("click", () => {
    asking?.abort();
    turns = [];
    talk.replaceChildren();
    status.textContent = "";
    say.focus();
  });
  say.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); form.requestSubmit(); }
  });
  const taught = () => find("model").selectedOptions[0]?.dataset.instructions ?? "";
  let given = taught();
  find("model").addEventListener("change", (event) => {
    // Instructions that a person wrote stay; those of the model before make way for the next one's.
    const system = find("system");
    if (system.value.trim() === given.trim()) system.value = taught();
    given = taught();
    const name = find("python-model");
    if (name) name.textContent = event.target.value;
  });
})();
