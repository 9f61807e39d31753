// After each autosave of a value: its findings, its light, and the revision that a plain submit would send.
(() => {
  const { say, element } = window.jalon;
  document.addEventListener("jalon:saved", (event) => {
    const form = event.target;
    const body = event.detail || {};
    const hidden = form.querySelector('input[name="revision"]');
    if (hidden && body.revision !== undefined) hidden.value = body.revision;
    const list = form.querySelector("[data-findings]");
    if (!list || !body.findings) return;
    list.replaceChildren(...body.findings.map((f) => element("li", { class: f.level === "error" ? "field-error" : "small" },
      (f.level === "error" ? say("À corriger : ", "To correct: ") : say("À vérifier : ", "To check: ")) + f.text)));
  });
})();
