// Uploads with progress: drag and drop onto the field, one bar for the whole sending, errors in words.
(() => {
  const size = (bytes) => bytes >= 1 << 20 ? `${(bytes / (1 << 20)).toFixed(1)} MB` : `${Math.ceil(bytes / 1024)} KB`;

  function list(form, files) {
    const box = form.querySelector("[data-uploads]");
    box.replaceChildren(...[...files].map((file) => {
      const line = document.createElement("li");
      line.textContent = `${file.name}, ${size(file.size)}`;
      return line;
    }));
  }
  function bar(form) {
    const line = document.createElement("li");
    line.innerHTML = '<div class="bar"><i></i></div><span class="small dim"></span>';
    form.querySelector("[data-uploads]").append(line);
    return [line.querySelector("i"), line.querySelector("span")];
  }
  function send(form) {
    const [fill, words] = bar(form);
    const button = form.querySelector("button");
    const request = new XMLHttpRequest();
    const began = performance.now();
    const stopped = (text) => { words.textContent = text; words.className = "bad-text"; button.disabled = false; };
    button.disabled = true;
    request.upload.addEventListener("progress", (event) => {
      if (!event.lengthComputable) return;
      const share = event.loaded / event.total;
      const rate = event.loaded / Math.max(0.2, (performance.now() - began) / 1000);
      fill.style.width = `${Math.round(share * 100)}%`;
      words.textContent = share < 1
        ? `${size(event.loaded)} of ${size(event.total)}, ${size(rate)} a second`
        : "All sent. The studio keeps it now.";
    });
    request.addEventListener("load", () => {
      const next = request.getResponseHeader("X-Location");
      if (next) location.assign(next);
      else stopped(request.status === 413 ? "The file is larger than the studio takes. Split it into several." : request.responseText.slice(0, 300) || "The upload was refused. Reload the page and try again.");
    });
    request.addEventListener("error", () => stopped("The connection broke. Nothing was kept; try again."));
    request.open("POST", form.action || location.href);
    request.setRequestHeader("X-Requested-With", "XMLHttpRequest");
    request.send(new FormData(form));
  }

  document.querySelectorAll("form[data-upload]").forEach((form) => {
    const drop = form.querySelector("[data-drop]");
    const input = form.querySelector("input[type=file]");
    input.addEventListener("change", () => list(form, input.files));
    ["dragenter", "dragover"].forEach((kind) => drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.add("is-over");
    }));
    ["dragleave", "drop"].forEach((kind) => drop.addEventListener(kind, () => drop.classList.remove("is-over")));
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      input.files = event.dataTransfer.files;
      list(form, input.files);
      const name = form.querySelector("input[name=name]");
      if (name && !name.value && input.files[0]) name.value = input.files[0].name.replace(/\.[^.]+$/, "");
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      send(form);
    });
  });
})();
