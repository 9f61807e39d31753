// Follows a long task. Needs common.js.
// <div data-progress-url="…"><progress></progress><p class="progress-text" role="status"></p></div>
// The address answers {done, total, state, message, next}; state "running", "done" or "failed". At "done", goes to next.
(() => {
  const { say } = window.jalon;
  for (const box of document.querySelectorAll("[data-progress-url]")) {
    const bar = box.querySelector("progress");
    const text = box.querySelector(".progress-text");
    let wait = 600, misses = 0;
    const look = async () => {
      try {
        const answer = await fetch(box.dataset.progressUrl, { headers: { Accept: "application/json" }, credentials: "same-origin" });
        if (!answer.ok) throw new Error(String(answer.status));
        const { done, total, state, message, next } = await answer.json();
        misses = 0;
        if (bar && total) { bar.max = total; bar.value = done; } else if (bar && state === "running") bar.removeAttribute("value");
        if (text) text.textContent = message || (total ? say(`${done} sur ${total}`, `${done} of ${total}`) : "");
        if (state === "done" && next) { location.assign(next); return; }
        if (state === "done" || state === "failed") { box.classList.toggle("tone-bad", state === "failed"); return; }
        wait = Math.min(wait * 1.15, 3000);
      } catch {
        misses += 1;
        wait = Math.min(2000 * misses, 15000);
        if (text) text.textContent = say("Le suivi est interrompu ; le travail continue. Nouvel essai…", "Lost sight of the task; it goes on. Trying again…");
      }
      setTimeout(look, wait);
    };
    look();
  }
})();
