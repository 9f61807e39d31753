// The map: zoom by buttons and by the keys + - and arrows, names shared between points and list. Needs common.js.
(() => {
  const { say, element } = window.jalon;
  for (const map of document.querySelectorAll("[data-map]")) {
    const svg = map.querySelector("[data-map-svg]");
    const whole = svg.getAttribute("viewBox").split(" ").map(Number);
    let [x, y, w, h] = whole;
    const dots = [...svg.querySelectorAll(".dot")].map((dot) => [dot, Number(dot.getAttribute("r"))]);
    const names = [...svg.querySelectorAll(".dot-name")];
    const show = () => {
      w = Math.min(w, whole[2]); h = Math.min(h, whole[3]);
      x = Math.min(Math.max(x, whole[0]), whole[0] + whole[2] - w);
      y = Math.min(Math.max(y, whole[1]), whole[1] + whole[3] - h);
      svg.setAttribute("viewBox", [x, y, w, h].map((n) => n.toFixed(1)).join(" "));
      const pixel = (svg.clientWidth || whole[2]) / whole[2];
      const grow = Math.min(Math.max(0.75 / pixel, 1), 1.8); // on a phone, points that a finger can find
      const scale = grow * Math.sqrt(w / whole[2]);
      for (const [dot, r] of dots) {
        dot.setAttribute("r", (r * scale).toFixed(2));
        if (dot.tagName === "path") dot.setAttribute("transform", `translate(${dot.getAttribute("cx")} ${dot.getAttribute("cy")}) scale(${(r * scale).toFixed(2)})`);
        const shape = dot.parentNode.querySelector(".dot-shape");
        if (shape) {
          const side = 1.1 * r * scale;
          const corner = { x: dot.getAttribute("cx") - side / 2, y: dot.getAttribute("cy") - side / 2, width: side, height: side };
          for (const key in corner) shape.setAttribute(key, corner[key].toFixed(2));
        }
      }
      const size = (14 * w) / (svg.clientWidth || whole[2]);
      for (const name of names) { name.setAttribute("font-size", size.toFixed(2)); name.setAttribute("stroke-width", (size / 3.5).toFixed(2)); }
      for (const dot of map.querySelectorAll(".map-legend .dot")) dot.setAttribute("r", (dot.dataset.r * grow * pixel * Math.sqrt(whole[2] / w)).toFixed(1));
      svg.classList.toggle("zoomed", w < whole[2]);
    };
    const zoom = (by, cx = x + w / 2, cy = y + h / 2) => {
      const nw = Math.max(w * by, whole[2] / 16), nh = Math.max(h * by, whole[3] / 16);
      x = cx - (cx - x) * (nw / w); y = cy - (cy - y) * (nh / h); w = nw; h = nh; show();
    };
    const move = (dx, dy) => { x += dx * w * 0.15; y += dy * h * 0.15; show(); };
    const button = (label, sign, act) => {
      const made = element("button", { type: "button", class: "button small", "aria-label": label, title: label }, sign);
      made.addEventListener("click", act);
      return made;
    };
    const reset = () => { [x, y, w, h] = whole; show(); };
    map.querySelector(".map-box").append(element("div", { class: "map-tools" },
      button(say("Agrandir", "Zoom in"), "+", () => zoom(1 / 1.6)), button(say("Réduire", "Zoom out"), "−", () => zoom(1.6)),
      button(say("Voir toute la carte", "Show the whole map"), "⤢", reset)));
    svg.addEventListener("focusin", (event) => {
      const dot = event.target.querySelector?.(".dot");
      if (!dot || w >= whole[2]) return;
      const [cx, cy] = [Number(dot.getAttribute("cx")), Number(dot.getAttribute("cy"))];
      if (cx < x || cx > x + w || cy < y || cy > y + h) { x = cx - w / 2; y = cy - h / 2; show(); }
    });
    const keys = { "+": () => zoom(1 / 1.6), "=": () => zoom(1 / 1.6), "-": () => zoom(1.6), 0: reset,
      ArrowLeft: () => move(-1, 0), ArrowRight: () => move(1, 0), ArrowUp: () => move(0, -1), ArrowDown: () => move(0, 1) };
    map.querySelector(".map-box").addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
      if (event.key.startsWith("Arrow") && w >= whole[2]) return;
      event.preventDefault();
      keys[event.key]();
    });
    show();
    window.addEventListener("resize", show);
    let from = null;
    svg.addEventListener("pointerdown", (event) => { if (w < whole[2] && !event.target.closest("a")) from = [event.clientX, event.clientY, x, y]; });
    svg.addEventListener("pointermove", (event) => {
      if (!from) return;
      const scale = w / svg.getBoundingClientRect().width;
      x = from[2] - (event.clientX - from[0]) * scale; y = from[3] - (event.clientY - from[1]) * scale; show();
    });
    for (const end of ["pointerup", "pointerleave", "pointercancel"]) svg.addEventListener(end, () => { from = null; });

    const pairs = new Map();
    for (const node of document.querySelectorAll("[data-point]")) pairs.set(node.dataset.point, [...(pairs.get(node.dataset.point) || []), node]);
    for (const nodes of pairs.values()) {
      const set = (on) => () => {
        for (const node of nodes) node.classList.toggle("on", on);
        if (on) for (const node of nodes) if (node.closest("svg")) node.parentNode.append(node);
      };
      for (const node of nodes) {
        if (node.closest("svg")) {
          node.addEventListener("mouseenter", () => nodes.forEach((n) => n.classList.add("on")));
          node.addEventListener("focusin", () => nodes.forEach((n) => n.classList.add("on")));
        } else {
          node.addEventListener("mouseenter", set(true));
          node.addEventListener("focusin", set(true));
        }
        node.addEventListener("mouseleave", set(false));
        node.addEventListener("focusout", set(false));
      }
    }
  }
})();
