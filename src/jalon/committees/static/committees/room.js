// The committee room: arrows change the point, the screen and the phones follow, the decision is what was typed. Needs common.js.
(() => {
  const room = document.querySelector("[data-room-state]");
  if (!room) return;
  const typing = (node) => node && (node.tagName === "TEXTAREA" || node.tagName === "INPUT" || node.tagName === "SELECT" || node.isContentEditable);

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || typing(event.target)) return;
    const key = { PageDown: "ArrowRight", PageUp: "ArrowLeft", " ": event.shiftKey ? "ArrowLeft" : "ArrowRight" }[event.key] || event.key;
    if (event.key === " " && event.target.tagName === "BUTTON") return;
    const target = document.querySelector(`[data-room-key="${key}"]`);
    if (!target) return;
    event.preventDefault();
    target.click();
  });

  const form = document.getElementById("room-words");
  form?.addEventListener("submit", () => {
    form.querySelector("[data-room-copy]").value = form.querySelector("[data-room-text]").value;
  });

  if (!room.dataset.roomFollows) return;
  const WAIT = 3000;
  const live = () => document.getElementById("room-live");
  let busy = false;
  const look = async () => {
    if (busy || document.hidden) return;
    busy = true;
    try {
      const answer = await fetch(room.dataset.roomState, { headers: { Accept: "application/json" }, credentials: "same-origin" });
      if (answer.ok) {
        const state = await answer.json();
        if (state.stamp !== live().dataset.stamp) await renew();
      }
    } catch { /* no network: the next look tries again */ }
    busy = false;
  };
  const renew = async () => {
    const answer = await fetch(location.href, { credentials: "same-origin" });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("room-live");
    if (!fresh) return;
    const moved = page.getElementById("room-words")?.dataset.autosaveUrl !== form?.dataset.autosaveUrl;
    if (form && moved && !typing(document.activeElement)) { location.reload(); return; }
    live().replaceWith(document.importNode(fresh, true));
  };
  setInterval(look, WAIT);
})();
