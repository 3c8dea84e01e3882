// What belongs together lights up: a memory with its messages and what it took the place of, a message with its memories.
(() => {
  const all = [...document.querySelectorAll("[data-ref]")];
  const near = new Map();
  const join = (a, b) => (near.get(a) ?? near.set(a, new Set([a])).get(a)).add(b);
  for (const one of all) {
    for (const other of (one.dataset.with ?? "").split(" ").filter(Boolean)) {
      join(one.dataset.ref, other);
      join(other, one.dataset.ref);
    }
  }
  const light = (name) => {
    const shown = name && (near.get(name) ?? new Set([name]));
    document.body.classList.toggle("focus", Boolean(shown));
    for (const one of all) one.classList.toggle("lit", Boolean(shown) && shown.has(one.dataset.ref));
  };
  const nameOf = (node) => node?.closest?.("[data-ref]")?.dataset.ref;
  const rest = () => light(nameOf(document.activeElement));
  document.addEventListener("pointerover", (event) => { const name = nameOf(event.target); name ? light(name) : rest(); });
  document.documentElement.addEventListener("pointerleave", rest);
  document.addEventListener("focusin", (event) => light(nameOf(event.target)));
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") { document.activeElement?.blur(); light(); } });
  const open = () => { const target = document.getElementById(location.hash.slice(1)); if (target?.matches("details")) target.open = true; };
  addEventListener("hashchange", open);
  open();
  for (const one of document.querySelectorAll(".frame-scroll")) {
    const mark = one.querySelector(".frame-mark");
    if (mark) one.scrollLeft = mark.offsetLeft + mark.offsetWidth / 2 - one.clientWidth / 2;
  }
})();
