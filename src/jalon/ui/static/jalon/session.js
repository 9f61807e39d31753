// Warns five minutes before the session ends and offers to stay. Needs common.js.
// <html data-session-seconds="28800" data-session-url="…">: a GET of the address prolongs the session.
(() => {
  const { say, element } = window.jalon;
  const root = document.documentElement;
  const length = Number(root.dataset.sessionSeconds) * 1000;
  if (!length) return;
  const BEFORE = Math.min(5 * 60 * 1000, length / 2);
  let timers = [];
  const start = () => {
    timers.forEach(clearTimeout);
    timers = [setTimeout(warn, length - BEFORE), setTimeout(ended, length)];
  };
  const place = (...content) => {
    document.querySelector("#session-notice")?.remove();
    const box = element("div", { id: "session-notice", class: "notice tone-warn", role: "alert" }, element("div", {}, ...content));
    document.querySelector("main")?.prepend(box);
    return box;
  };
  const warn = () => {
    const minutes = Math.round(BEFORE / 60000) || 1;
    const stay = element("button", { type: "button", class: "button small" }, say("Rester connecté", "Stay signed in"));
    const box = place(element("p", {}, say(`Votre session finit dans ${minutes} min, faute d'activité. Ce que vous écrivez dans un formulaire est gardé.`,
      `Your session ends in ${minutes} min for want of activity. What you write in a form is kept.`)), ...(root.dataset.sessionUrl ? [stay] : []));
    stay.addEventListener("click", async () => {
      try {
        if ((await fetch(root.dataset.sessionUrl, { credentials: "same-origin" })).ok) { box.remove(); start(); }
      } catch { stay.textContent = say("Le site ne répond pas, recommencez", "The site does not answer, try again"); }
    });
  };
  const ended = () => place(element("p", {}, say("Votre session est finie. Reconnectez-vous dans un autre onglet pour continuer ici.", "Your session has ended. Sign in again in another tab to go on here.")));
  start();
})();
