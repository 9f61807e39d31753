// Two-step buttons, without a dialogue. Needs common.js.
// <button data-confirm="Cette signature sera retirée.">: the first press shows the sentence and two buttons in its place.
(() => {
  const { say, element } = window.jalon;
  for (const button of document.querySelectorAll("button[data-confirm]")) {
    button.addEventListener("click", (event) => {
      if (button.dataset.confirmed) return;
      event.preventDefault();
      const yes = element("button", { type: "button", class: "button small danger" }, button.dataset.confirmYes || button.textContent.trim());
      const no = element("button", { type: "button", class: "button small" }, say("Annuler", "Cancel"));
      const ask = element("span", { class: "confirm-ask", role: "alert" }, button.dataset.confirm, yes, no);
      button.hidden = true;
      button.after(ask);
      no.focus();
      const back = () => { ask.remove(); button.hidden = false; button.focus(); };
      no.addEventListener("click", back);
      ask.addEventListener("keydown", (pressed) => { if (pressed.key === "Escape") back(); });
      yes.addEventListener("click", () => {
        button.dataset.confirmed = "1";
        button.hidden = false;
        ask.remove();
        if (button.form) button.form.requestSubmit(button); else button.click();
        button.disabled = true;
      });
    });
  }
})();
