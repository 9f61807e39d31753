// Saves a form while it is being written. Needs common.js.
//
// <form data-autosave-url="…" data-revision="12"> posts its fields (and "revision") a moment after the last change.
// Answer 200 {revision, saved_at?}: quiet line "Enregistré à 14 h 32" in [data-autosave-status].
// Answer 409 {theirs, yours, message, revision}: both texts are shown; nothing is overwritten until one is chosen.
// Answer 4xx {message, errors?}: shown, the draft stays in this browser. No network: kept here, sent again later.
(() => {
  const { say, token, time, element } = window.jalon;
  const WAIT = 1200;

  for (const form of document.querySelectorAll("[data-autosave-url]")) {
    const url = form.dataset.autosaveUrl;
    const key = "jalon-draft:" + new URL(url, location.href).pathname;
    let status = form.querySelector("[data-autosave-status]");
    if (!status) {
      status = element("p", { class: "autosave", role: "status", "data-autosave-status": "" });
      form.append(status);
    }
    let dirty = false, busy = false, timer = 0, pause = 2000, version = 0, stopped = false;

    const tell = (text, bad = false) => { status.textContent = text; status.classList.toggle("bad", bad); };
    const named = () => [...form.elements].filter((f) => f.name && f.type !== "file" && f.name !== "csrfmiddlewaretoken" && f.type !== "submit" && f.type !== "button");
    const fields = () => {
      const data = new URLSearchParams();
      for (const f of named()) {
        if (f.disabled || ((f.type === "checkbox" || f.type === "radio") && !f.checked)) continue;
        if (f.tagName === "SELECT" && f.multiple) { for (const o of f.selectedOptions) data.append(f.name, o.value); } else data.append(f.name, f.value);
      }
      return data;
    };
    const keep = () => {
      try { localStorage.setItem(key, JSON.stringify({ at: Date.now(), revision: form.dataset.revision || "", fields: [...fields()] })); } catch { /* full or forbidden: the page still holds it */ }
    };
    const drop = () => { try { localStorage.removeItem(key); } catch { /* nothing was kept */ } };
    const fill = (pairs) => {
      const values = new Map();
      for (const [name, value] of pairs) values.set(name, [...(values.get(name) || []), value]);
      for (const f of named()) {
        const found = values.get(f.name);
        if (f.type === "checkbox" || f.type === "radio") f.checked = Boolean(found?.includes(f.value));
        else if (f.tagName === "SELECT" && f.multiple) { for (const o of f.options) o.selected = Boolean(found?.includes(o.value)); }
        else if (found) f.value = found[0];
      }
    };

    const save = async () => {
      clearTimeout(timer);
      if (busy || stopped || !dirty) return;
      busy = true;
      const sent = version;
      const data = fields();
      if (form.dataset.revision !== undefined) data.set("revision", form.dataset.revision);
      tell(say("Enregistrement…", "Saving…"));
      try {
        const answer = await fetch(url, {
          method: "POST", body: data, credentials: "same-origin", redirect: "error",
          headers: { "X-CSRFToken": token(), "X-Requested-With": "fetch", Accept: "application/json" },
        });
        const body = (answer.headers.get("Content-Type") || "").includes("json") ? await answer.json() : {};
        if (answer.ok) {
          if (body.revision !== undefined) form.dataset.revision = body.revision;
          pause = 2000;
          if (sent === version) { dirty = false; drop(); } else { keep(); later(); }
          tell(say("Enregistré à ", "Saved at ") + time(body.saved_at ? new Date(body.saved_at) : new Date()));
          form.dispatchEvent(new CustomEvent("jalon:saved", { bubbles: true, detail: body }));
        } else if (answer.status === 409) {
          stopped = true;
          conflict(body);
        } else if (answer.status >= 500) {
          again(say("Le site n'a pas pu enregistrer. Nouvel essai dans un instant ; votre texte est gardé ici.", "The site could not save. Trying again in a moment; your text is kept here."));
        } else {
          const signedOut = answer.status === 401 || answer.status === 403;
          tell(body.message || (signedOut
            ? say("Votre session est finie. Reconnectez-vous dans un autre onglet : votre texte est gardé ici.", "Your session has ended. Sign in again in another tab: your text is kept here.")
            : say("Cette saisie n'a pas pu être enregistrée. Votre texte est gardé ici.", "This could not be saved. Your text is kept here.")), true);
        }
      } catch {
        again(say("Hors ligne : votre texte est gardé dans ce navigateur et partira au retour du réseau.", "Offline: your text is kept in this browser and will be sent when the network is back."));
      }
      busy = false;
    };
    const again = (text) => { tell(text, true); timer = setTimeout(save, pause); pause = Math.min(pause * 2, 60000); };
    const later = () => { clearTimeout(timer); timer = setTimeout(save, WAIT); };

    const shown = (value) => (value !== null && typeof value === "object" ? Object.entries(value).map(([k, v]) => `${k} : ${v}`).join("\n") : String(value ?? ""));
    const conflict = (body) => {
      form.querySelector(".conflict")?.remove();
      tell(say("Pas enregistré : deux versions existent.", "Not saved: there are two versions."), true);
      const side = (title, text) => element("div", { class: "diff-side" }, element("p", { class: "diff-head" }, title), element("div", { class: "diff-text" }, shown(text)));
      const mine = element("button", { type: "button", class: "button primary" }, say("Garder ma version", "Keep my version"));
      const theirs = element("button", { type: "button", class: "button" }, say("Reprendre la version enregistrée", "Take the saved version"));
      const panel = element("div", { class: "conflict", role: "alert", tabindex: "-1" },
        element("p", { class: "error-title" }, body.message || say("Quelqu'un d'autre a modifié ce texte entre-temps.", "Somebody else changed this text meanwhile.")),
        element("div", { class: "diff-sides" },
          side(say("Version enregistrée", "Saved version"), body.theirs), side(say("Votre version", "Your version"), body.yours ?? "")),
        element("p", { class: "small" }, say("Les deux textes restent ici tant que vous n'avez pas choisi. Vous pouvez aussi corriger votre version dans le champ, puis la garder.",
          "Both texts stay here until you choose. You may also edit your version in its field, then keep it.")),
        element("div", { class: "row" }, mine, theirs));
      mine.addEventListener("click", () => {
        if (body.revision !== undefined) form.dataset.revision = body.revision;
        panel.remove(); stopped = false; dirty = true; save();
      });
      theirs.addEventListener("click", () => { drop(); dirty = false; location.reload(); });
      form.prepend(panel);
      panel.focus();
    };

    let draft = null;
    try { draft = JSON.parse(localStorage.getItem(key)); } catch { /* unreadable draft: nothing to offer */ }
    if (draft && JSON.stringify(draft.fields) !== JSON.stringify([...fields()])) {
      const take = element("button", { type: "button", class: "button small" }, say("Reprendre ce brouillon", "Use this draft"));
      const leave = element("button", { type: "button", class: "button small quiet" }, say("L'oublier", "Forget it"));
      const offer = element("div", { class: "notice tone-info", role: "status" }, element("div", {},
        element("p", {}, say("Un brouillon non enregistré est resté dans ce navigateur, de ", "An unsaved draft stayed in this browser, from ") + time(new Date(draft.at)) + "."),
        element("div", { class: "row" }, take, leave)));
      take.addEventListener("click", () => { fill(draft.fields); offer.remove(); dirty = true; version += 1; later(); });
      leave.addEventListener("click", () => { drop(); offer.remove(); });
      form.prepend(offer);
    } else if (draft) drop();

    const changed = (event) => {
      if (!event.target.name) return;
      dirty = true; version += 1; keep();
      if (!stopped) later();
    };
    form.addEventListener("input", changed);
    form.addEventListener("change", changed);
    form.addEventListener("submit", () => { dirty = false; clearTimeout(timer); });
    window.addEventListener("online", save);
    document.addEventListener("visibilitychange", () => { if (document.hidden) save(); });
    window.addEventListener("beforeunload", (event) => { if (dirty) { save(); event.preventDefault(); } });
  }
})();
