// The drafting page while several people write: after a save, the button's revision follows the script's; what is
// missing, the states of the sections and who wrote last are read again, then and once a minute.
(() => {
  const PARTS = ["lead-missing", "manques", "missing-bar", "states"];
  const EVERY = 60000;
  let waiting = 0;

  const refresh = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(location.pathname, { credentials: "same-origin", headers: { Accept: "text/html" } });
      if (!answer.ok || answer.redirected) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const ids = [...PARTS, ...[...document.querySelectorAll(".section-line[id]")].map((line) => line.id)];
      for (const id of ids) {
        const old = document.getElementById(id), now = fresh.getElementById(id);
        if (old && now && !old.contains(document.activeElement) && !old.querySelector("details[open]")) old.replaceWith(document.adoptNode(now));
      }
    } catch { /* no network: the page stays as it is */ }
  };

  document.addEventListener("jalon:saved", (event) => {
    const seen = event.target.querySelector("input[name=rev]");
    if (seen && event.detail.rev !== undefined) seen.value = event.detail.rev;
    clearTimeout(waiting);
    waiting = setTimeout(refresh, 800);
  });
  setInterval(refresh, EVERY);
})();
