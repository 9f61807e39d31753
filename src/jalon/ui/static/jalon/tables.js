// Filters the rows of a list as one types, without asking the server and without remembering anything. Needs common.js.
// <input type="search" data-filter="#list"> ; rows are tr of tbody or li. [data-filter-count] receives the number left.
(() => {
  const { say } = window.jalon;
  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  for (const input of document.querySelectorAll("[data-filter]")) {
    const list = document.querySelector(input.dataset.filter);
    if (!list) continue;
    const rows = [...list.querySelectorAll(list.tagName === "TABLE" ? "tbody tr" : ":scope > li")].map((row) => [row, plain(row.textContent)]);
    const count = document.querySelector(`[data-filter-count="${input.dataset.filter}"]`);
    const apply = () => {
      const words = plain(input.value).split(/\s+/).filter(Boolean);
      let left = 0;
      for (const [row, text] of rows) {
        row.hidden = !words.every((word) => text.includes(word));
        if (!row.hidden) left += 1;
      }
      if (count) count.textContent = words.length ? say(`${left} sur ${rows.length}`, `${left} of ${rows.length}`) : "";
    };
    input.addEventListener("input", apply);
    input.addEventListener("keydown", (event) => { if (event.key === "Escape") { input.value = ""; apply(); } });
    input.hidden = false;
    apply();
  }
})();
