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
    list.replaceChildren(...body.findings.map((f) => {
      const line = element("li", { class: f.level === "error" ? "field-error" : "small" },
        (f.level === "error" ? say("À corriger : ", "To correct: ") : say("À vérifier : ", "To check: ")) + f.text + " ");
      if ((f.why || []).length) {
        const panel = element("details", { class: "why" });
        const inside = element("div", { class: "why-body" });
        f.why.forEach((text) => inside.append(element("p", {}, text)));
        panel.append(element("summary", {}, say("Pourquoi ?", "Why?")), inside);
        line.append(panel);
      }
      return line;
    }));
  });
})();
