// The recipe's cards: moved by dragging, by arrow keys and by buttons; the buttons work without this script too.
(() => {
  const list = document.querySelector("[data-steps]");
  if (!list) return;
  const said = document.querySelector("[data-said]");
  const cards = () => [...list.querySelectorAll("[data-moves]")];
  const titleOf = (card) => card.querySelector(".switch span").textContent;

  const ORDER = "The text is tidied before personal data is hidden, so these two stay in this order.";
  // Dragged further than a neighbour: the tidying comes along.
  function mend() {
    const [hide, tidy] = ["personal_data", "normalize"].map((name) => cards().find((card) => card.dataset.step === name));
    if (!hide || !tidy || cards().indexOf(tidy) < cards().indexOf(hide)) return;
    hide.before(tidy);
    said.textContent = ORDER;
  }
  function say(card) {
    said.textContent = `${titleOf(card)} is now step ${cards().indexOf(card) + 1} of ${cards().length}.`;
  }
  function move(card, way) {
    const other = way === "up" ? card.previousElementSibling : card.nextElementSibling;
    if (!other) return;
    const [first, second] = way === "up" ? [other, card] : [card, other];
    if (first.dataset.step === "normalize" && second.dataset.step === "personal_data") {
      said.textContent = ORDER;
      return;
    }
    if (way === "up") other.before(card);
    else other.after(card);
    say(card);
  }

  list.addEventListener("click", (event) => {
    const button = event.target.closest("[data-move]");
    if (!button) return;
    event.preventDefault();
    move(button.closest("[data-moves]"), button.dataset.move);
    button.focus();
  });
  list.addEventListener("keydown", (event) => {
    const grip = event.target.closest("[data-grip]");
    const way = { ArrowUp: "up", ArrowDown: "down" }[event.key];
    if (!grip || !way) return;
    event.preventDefault();
    move(grip.closest("[data-moves]"), way);
    grip.focus();
  });

  let dragged = null;
  list.addEventListener("pointerdown", (event) => {
    const grip = event.target.closest("[data-grip]");
    if (!grip || event.button !== 0) return;
    dragged = grip.closest("[data-moves]");
    dragged.classList.add("is-dragged");
    grip.setPointerCapture(event.pointerId);
  });
  list.addEventListener("pointermove", (event) => {
    if (!dragged) return;
    const over = cards().find((card) => {
      const box = card.getBoundingClientRect();
      return card !== dragged && event.clientY > box.top && event.clientY < box.bottom;
    });
    if (!over) return;
    const box = over.getBoundingClientRect();
    const below = event.clientY > box.top + box.height / 2;
    // Past the middle only, so that cards of different heights do not swap back and forth under the pointer.
    if (below && over.previousElementSibling === dragged) over.after(dragged);
    else if (!below && over.nextElementSibling === dragged) over.before(dragged);
    else if (Math.abs(cards().indexOf(over) - cards().indexOf(dragged)) > 1) below ? over.after(dragged) : over.before(dragged);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    list.addEventListener(end, () => {
      if (!dragged) return;
      dragged.classList.remove("is-dragged");
      say(dragged);
      mend();
      dragged = null;
    });
  }
})();
