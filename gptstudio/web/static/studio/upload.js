// Uploads in parts: files dropped anywhere on the page, a bar each, pause and resume, on after a lost connection or a
// reload (the same file chosen again goes on where it stopped). Without scripts the form sends its files at once.
(() => {
  const EDGE = 1 << 16;
  const LONGEST_PAUSE = 30;
  const size = (bytes) => bytes >= 1 << 30 ? `${(bytes / (1 << 30)).toFixed(2)} GB` : bytes >= 1 << 20 ? `${(bytes / (1 << 20)).toFixed(1)} MB` : `${Math.ceil(bytes / 1024)} KB`;
  const after = (seconds) => new Promise((go) => {
    const timer = setTimeout(go, seconds * 1000);
    addEventListener("online", () => { clearTimeout(timer); go(); }, { once: true });
  });

  class Refused extends Error {}
  class Lost extends Error {}

  // What tells a file apart when it is chosen again: size and time, and a sum over its first and last bytes. It is
  // not a seal (the sum of all bytes is the server's), and pages on plain http have no crypto.subtle.
  async function fingerprint(file) {
    const ends = [file.slice(0, EDGE), file.slice(Math.max(0, file.size - EDGE))];
    let one = 0xdeadbeef ^ file.size, two = 0x41c6ce57 ^ file.size;
    for (const end of ends) {
      for (const byte of new Uint8Array(await end.arrayBuffer())) {
        one = Math.imul(one ^ byte, 2654435761);
        two = Math.imul(two ^ byte, 1597334677);
      }
    }
    return [one, two].map((sum) => (sum >>> 0).toString(16).padStart(8, "0")).join("");
  }

  class Sending {
    constructor(form, file) {
      this.form = form;
      this.file = file;
      this.done = false;
      this.line = document.createElement("li");
      this.line.innerHTML = '<span></span><div class="bar" hidden><i></i></div><span class="small dim"></span><div class="acts"><button type="button" class="btn small" hidden>Pause</button></div>';
      [this.title, this.words] = this.line.querySelectorAll("span");
      [this.bar, this.button] = [this.line.querySelector(".bar"), this.line.querySelector("button")];
      this.title.textContent = `${file.name}, ${size(file.size)}`;
      this.button.addEventListener("click", () => this.paused ? this.resume() : this.pause());
    }
    pause() {
      this.paused = true;
      this.button.textContent = "Resume";
      this.say("Paused. Nothing is lost.");
      this.request?.abort();
    }
    resume() {
      this.paused = false;
      this.button.textContent = "Pause";
      this.go?.();
    }
    say(text, isBad = false) {
      this.words.textContent = text;
      this.words.className = isBad ? "small bad-text" : "small dim";
    }
    show(sent) {
      const seconds = (performance.now() - this.began) / 1000, rate = (sent - this.from) / Math.max(0.2, seconds);
      const left = rate > 0 ? Math.ceil((this.file.size - sent) / rate) : 0;
      this.bar.firstElementChild.style.width = `${Math.round(100 * sent / this.file.size)}%`;
      const eta = seconds > 3 && left > 5 ? `, ${left > 90 ? `${Math.round(left / 60)} minutes` : `${left} seconds`} to go` : "";
      if (!this.paused) this.say(`${size(sent)} of ${size(this.file.size)}, ${size(rate)} a second${eta}`);
    }
    ask(address, body, progress) {
      return new Promise((answered, failed) => {
        const request = this.request = new XMLHttpRequest();
        request.open("POST", address);
        request.setRequestHeader("X-Requested-With", "XMLHttpRequest");
        request.setRequestHeader("X-CSRFToken", this.form.querySelector("[name=csrfmiddlewaretoken]").value);
        request.setRequestHeader("X-Workspace", document.querySelector("meta[name=workspace]").content);
        if (progress) request.upload.addEventListener("progress", (event) => progress(event.loaded));
        request.addEventListener("load", () => {
          let said = {};
          try { said = JSON.parse(request.responseText); } catch { said = {}; }
          if (said.id || said.dataset) answered(said);
          else if (request.status === 200) failed(new Refused("You were signed out. Sign in, and choose the file again: it goes on where it stopped."));
          else if (request.status >= 500 && request.status !== 507 || request.status === 409 && said.code === "conflict" && progress) failed(new Lost());
          else failed(new Refused(said.code === "other_workspace" ? said.error : said.message || "The upload was refused. Reload the page and try again."));
        });
        ["error", "abort", "timeout"].forEach((kind) => request.addEventListener(kind, () => failed(new Lost())));
        request.send(body);
      });
    }
    begin(dataset) {
      const body = new FormData();
      const name = this.form.querySelector("input[name=name]");
      const said = { name: this.file.name, bytes: this.file.size, fingerprint: this.print, dataset: dataset || "", dataset_name: name ? name.value : "" };
      Object.entries(said).forEach(([key, value]) => body.append(key, value));
      return this.ask(this.form.dataset.uploadsTo, body);
    }
    // Everything again from where the server stands, until all is sent or it says no.
    async send(dataset) {
      this.print = await fingerprint(this.file);
      this.bar.hidden = this.button.hidden = false;
      this.began = performance.now();
      for (let tries = 0; ;) {
        if (this.paused) await new Promise((go) => { this.go = go; });
        try {
          const known = await this.begin(dataset);
          let sent = known.received;
          this.from = sent;
          this.began = performance.now();
          while (sent < this.file.size && !this.paused) {
            const end = Math.min(this.file.size, sent + known.part_bytes), start = sent;
            const part = this.file.slice(start, end);
            sent = (await this.ask(`${this.form.dataset.uploadsTo}/${known.id}/parts?offset=${start}`, part, (loaded) => this.show(start + loaded))).received;
            tries = 0;
          }
          if (this.paused) continue;
          this.say("All sent. The studio keeps it now.");
          const kept = await this.ask(`${this.form.dataset.uploadsTo}/${known.id}/complete`, null);
          this.done = true;
          this.button.hidden = true;
          return kept;
        } catch (error) {
          if (!(error instanceof Lost)) throw error;
          if (this.paused) continue;
          const pause = Math.min(LONGEST_PAUSE, 2 ** tries++);
          this.say(`The connection is lost. Trying again in ${pause} seconds; what was sent is kept.`, true);
          await after(pause);
        }
      }
    }
  }

  function set(form) {
    const drop = form.querySelector("[data-drop]"), input = form.querySelector("input[type=file]");
    const box = form.querySelector("[data-uploads]"), button = form.querySelector(".acts .btn:not([type=button])");
    let sendings = [];

    function choose(files) {
      const known = new Set(sendings.map((each) => `${each.file.name}/${each.file.size}`));
      const fresh = [...files].filter((file) => !known.has(`${file.name}/${file.size}`)).map((file) => new Sending(form, file));
      sendings = [...sendings, ...fresh];
      box.append(...fresh.map((each) => each.line));
      const name = form.querySelector("input[name=name]");
      if (name && !name.value && sendings[0]) name.value = sendings[0].file.name.replace(/\.[^.]+$/, "").slice(0, 120);
    }
    async function send() {
      let dataset = form.dataset.dataset, next = "", refused = false;
      button.disabled = true;
      for (const each of sendings.filter((sending) => !sending.done)) {
        try {
          const kept = await each.send(dataset);
          [dataset, next] = [kept.dataset, kept.location];
        } catch (error) {
          refused = true;
          each.button.hidden = true;
          each.say(error.message, true);
        }
      }
      button.disabled = false;
      if (dataset) form.dataset.dataset = dataset;
      if (next && !refused) location.assign(next);
      else if (next) {
        const link = document.createElement("a");
        link.href = next;
        link.textContent = "The other files were kept. Go to the data set";
        box.append(link);
      }
    }

    input.addEventListener("change", () => { choose(input.files); input.value = ""; });
    ["dragenter", "dragover"].forEach((kind) => document.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.add("is-over");
    }));
    ["dragleave", "drop"].forEach((kind) => document.addEventListener(kind, (event) => {
      if (kind === "drop" || !event.relatedTarget) drop.classList.remove("is-over");
    }));
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      if (event.dataTransfer.files.length) choose(event.dataTransfer.files);
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (sendings.some((each) => !each.done)) send();
      else box.replaceChildren(Object.assign(document.createElement("li"), { textContent: "No file was chosen. Choose one, or drag it onto the page.", className: "bad-text" }));
    });
    addEventListener("beforeunload", (event) => {
      if (button.disabled && sendings.some((each) => !each.done)) event.preventDefault();
    });
  }

  document.querySelectorAll("form[data-upload]").forEach(set);
})();
