// The replay plays by itself when asked: it opens the next step every few seconds, until paused or at the end.
// Without this script every step is a link; the arrow keys are an addition.
(() => {
  const box = document.querySelector("[data-replay]");
  if (!box) return;
  const { replayNext: next, replayPrevious: previous } = box.dataset;
  const play = box.querySelector("[data-replay-play]");
  const pause = box.querySelector("[data-replay-pause]");
  const KEY = "jalon-replay";
  const SECONDS = 5;
  let timer = 0;
  const playing = () => sessionStorage.getItem(KEY) === "1";
  const go = (address) => address && location.assign(address);
  const show = () => {
    play.hidden = playing() || !next;
    pause.hidden = !playing();
  };
  const start = () => {
    sessionStorage.setItem(KEY, "1");
    show();
    if (next) timer = setTimeout(() => go(next), SECONDS * 1000);
    else stop();
  };
  const stop = () => {
    sessionStorage.removeItem(KEY);
    clearTimeout(timer);
    show();
  };
  play.addEventListener("click", () => {
    start();
    pause.focus();
  });
  pause.addEventListener("click", () => {
    stop();
    (play.hidden ? box.querySelector("a") : play).focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest("input, select, textarea")) return;
    if (event.key === "ArrowRight") go(next);
    if (event.key === "ArrowLeft") go(previous);
  });
  show();
  if (playing()) {
    start();
    pause.focus();
  }
})();
