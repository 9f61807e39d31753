// Shared by the small scripts of Jalon: language, CSRF token, requests, times.
(() => {
  const english = document.documentElement.lang.startsWith("en");
  const cookie = (name) => document.cookie.split("; ").find((c) => c.startsWith(name + "="))?.split("=")[1];
  window.jalon = {
    say: (fr, en) => (english ? en : fr),
    token: () => document.querySelector("[name=csrfmiddlewaretoken]")?.value || cookie("csrftoken") || "",
    time: (date) => {
      const [h, m] = [date.getHours(), String(date.getMinutes()).padStart(2, "0")];
      return english ? `${String(h).padStart(2, "0")}:${m}` : `${h}\u00a0h\u00a0${m}`;
    },
    element: (tag, attributes = {}, ...children) => {
      const node = document.createElement(tag);
      for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
      node.append(...children);
      return node;
    },
  };

  // On a phone the navigation runs sideways: the page that is open must be in sight.
  for (const here of document.querySelectorAll(".site-nav [aria-current]")) {
    const row = here.closest("ul");
    if (row.scrollWidth > row.clientWidth) row.scrollLeft = here.offsetLeft - row.clientWidth / 3;
  }
})();
