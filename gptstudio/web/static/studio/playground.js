// The playground: sends the conversation to one model or to two, shows each answer as it comes, stops when asked.
(() => {
  const form = document.querySelector("[data-playground]");
  if (!form) return;
  const find = (name) => document.querySelector(`[data-${name}]`);
  const talk = find("talk"), say = find("say"), status = find("status"), stop = find("stop"), send = find("send");
  // One conversation a model: both are asked the same, and each goes on from its own answers.
  const lanes = [{ picked: find("model"), turns: [] }, { picked: find("second"), turns: [] }];
  const active = () => lanes.filter((lane) => lane.picked?.value);
  const token = () => form.querySelector("[name=csrfmiddlewaretoken]").value;
  const workspace = document.querySelector("meta[name=workspace]").content;
  let asking = null;

  function show(role, text, place, name) {
    find("blank")?.remove();
    const box = document.createElement("div");
    box.className = `turn ${role}`;
    const who = document.createElement("span");
    who.className = "small dim";
    who.textContent = role === "user" ? "You" : name;
    const line = document.createElement("p");
    line.textContent = text;
    box.append(who, line);
    place.append(box);
    talk.scrollTop = talk.scrollHeight;
    return [box, line];
  }
  function body(lane) {
    const system = find("system").value.trim();
    return JSON.stringify({
      model: lane.picked.value,
      messages: [...(system ? [{ role: "system", content: system }] : []), ...lane.turns],
      temperature: Number(find("temperature").value),
      max_tokens: Number(find("most").value),
    });
  }
  const pause = (time) => new Promise((resolve) => setTimeout(resolve, time));

  async function ask(lane, signal) {
    const headers = { "Content-Type": "application/json", "X-CSRFToken": token(), "X-Workspace": workspace };
    for (let tries = 0; ; tries += 1) {
      const response = await fetch(form.dataset.stream, { method: "POST", headers, body: body(lane), signal });
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
      of_workspace: workspace,
      csrfmiddlewaretoken: token(),
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
      const headers = { "Content-Type": "application/json", "X-CSRFToken": token(), "X-Workspace": workspace };
      const sent = JSON.stringify({ request: id, messages: asked, ...opinion });
      const response = await fetch(form.dataset.rate, { method: "POST", headers, body: sent });
      const found = await response.json().catch(() => ({ error: "The studio did not answer." }));
      window.studioSay(found.said ?? found.error, response.ok ? "good" : "bad");
      if (response.ok) { bar.replaceChildren(); offerWhy(); }
    }
    const offerWhy = () => { if (form.dataset.why) add("Why?", () => askWhy(id, asked, said)); };
    add("Good", () => tell({ rating: "up" }));
    add("Bad", () => tell({ rating: "down" }));
    function write(label, verb, opinion) {
      bar.replaceChildren();
      const text = document.createElement("textarea");
      Object.assign(text, { rows: 3, value: said });
      text.setAttribute("aria-label", label);
      bar.append(text);
      add(verb, () => tell({ ...opinion, correction: text.value }));
      text.focus();
    }
    add("Correct it", () => write("What the answer should have been", "Send the correction", { rating: "down" }));
    add("Use as a training row", () => write("The answer to learn from", "Send it for review", {}));
    offerWhy();
    box.append(bar);
  }
  // What an answer took and cost, as the ledger has it; that may be a moment behind the last word.
  async function bill(id) {
    for (let tries = 0; tries < 8; tries += 1) {
      const response = await fetch(form.dataset.bill.replace("req_", id));
      const found = response.ok ? await response.json() : null;
      if (found?.settled) return found.said;
      await pause(300 * (tries + 1));
    }
    throw new Error("The ledger still waits for its count.");
  }
  async function answer(lane, place) {
    const began = performance.now();
    const [box, line] = show("assistant", "", place, lane.picked.value);
    const asked = JSON.parse(body(lane)).messages;
    let first = 0, usage = null, filtered = false, id = "", note = "";
    box.classList.add("is-live");
    try {
      const response = await ask(lane, asking.signal);
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
      note = `first word after ${(first / 1000).toFixed(1)} s, all in ${((performance.now() - began) / 1000).toFixed(1)} s`;
      if (filtered) window.studioSay("A rule of this workspace stopped the answer.", "bad");
    } catch (error) {
      const stopped = error.name === "AbortError";
      if (stopped) note = "Stopped. What was written until then is billed";
      else { box.remove(); window.studioSay(error.message, "bad"); }
    }
    box.classList.remove("is-live");
    if (line.textContent) {
      lane.turns.push({ role: "assistant", content: line.textContent });
      const took = document.createElement("span");
      took.className = "small dim took";
      const counted = usage ? `${usage.prompt_tokens} tokens read, ${usage.completion_tokens} written` : "";
      took.textContent = [counted, note].filter(Boolean).join("; ");
      box.append(took);
      if (id) {
        offerFeedback(box, id, asked, line.textContent);
        bill(id).then((said) => { took.textContent = [said, note].filter(Boolean).join("; "); }, () => { took.textContent += "; its cost is not known yet"; });
      }
    } else {
      box.remove();
      lane.turns.pop();
    }
    return Boolean(line.textContent);
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = say.value.trim();
    if (!text || asking) return;
    say.value = "";
    const asked = active();
    for (const lane of asked) lane.turns.push({ role: "user", content: text });
    show("user", text, talk);
    const place = document.createElement("div");
    place.className = asked.length > 1 ? "pair" : "stack";
    talk.append(place);
    asking = new AbortController();
    send.disabled = true;
    stop.hidden = false;
    status.textContent = "Thinking…";
    const answered = await Promise.all(asked.map((lane) => answer(lane, place)));
    status.textContent = "";
    if (!answered.some(Boolean)) say.value ||= text;
    asking = null;
    send.disabled = false;
    stop.hidden = true;
    say.focus();
  });
  stop.addEventListener("click", () => asking?.abort());
  find("clear").addEventListener("click", () => {
    asking?.abort();
    for (const lane of lanes) lane.turns = [];
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
    offerQuestions();
  });
  find("second")?.addEventListener("change", () => {
    // A model that comes later starts from the conversation as it stands.
    lanes[1].turns = [...lanes[0].turns];
    offerQuestions();
  });
  // Questions that the data of these models was begun with: one click asks one.
  function offerQuestions() {
    const asked = active().flatMap((lane) => JSON.parse(lane.picked.selectedOptions[0]?.dataset.questions || "[]"));
    const buttons = [...new Set(asked)].slice(0, 6).map((text) => {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", className: "btn slim question", textContent: text });
      button.addEventListener("click", () => { say.value = text; form.requestSubmit(); });
      return button;
    });
    find("questions").replaceChildren(...buttons);
    find("questions").hidden = !buttons.length;
  }
  offerQuestions();
})();
