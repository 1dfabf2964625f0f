// The form of a fine-tune: buttons of the list before a start fill fields in, or send the form elsewhere.
(() => {
  const form = document.querySelector("#start");
  if (!form) return;

  function fill(query) {
    let last = null;
    for (const [name, value] of new URLSearchParams(query)) {
      const field = form.elements[name];
      if (!field) continue;
      if (field instanceof RadioNodeList) {
        field.value = value;
        last = form.querySelector(`[name="${name}"]:checked`);
      } else {
        field.value = value;
        last = field;
      }
      const drawer = last?.closest("details");
      if (drawer) drawer.open = true;
    }
    return last;
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-fill], button[data-goes]");
    if (!button) return;
    const last = fill(button.dataset.fill || "");
    if (button.dataset.goes) {
      form.action = button.dataset.goes;
      form.submit();
    } else if (last) {
      last.focus();
      last.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });
})();
