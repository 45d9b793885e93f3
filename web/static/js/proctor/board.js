// The board is fetched again every few seconds: what was ticked stays ticked, and the line above the seats says
// whether what is shown is fresh.
const board = document.getElementById("board");
if (board) {
  const announcer = document.getElementById("announcer");
  const STALE_MS = 12000;
  const picked = new Set();
  let freshAt = performance.now();
  let said = "";

  const boxes = () => [...board.querySelectorAll("input[name='sittings']")];
  const show = () => {
    for (const box of boxes()) box.checked = picked.has(box.value);
    const all = document.getElementById("pick-all");
    if (all) {
      const shown = boxes();
      const count = shown.filter((box) => box.checked).length;
      all.checked = count > 0 && count === shown.length;
      all.indeterminate = count > 0 && count < shown.length;
    }
    for (const place of document.querySelectorAll("[data-picked-count]")) place.textContent = picked.size;
  };
  const announce = () => {
    const live = document.getElementById("live");
    const news = live ? live.dataset.announce : "";
    if (said && news && news !== said) announcer.textContent = news;
    said = news;
  };

  for (const box of boxes()) if (box.checked) picked.add(box.value);
  board.addEventListener("change", (event) => {
    const box = event.target;
    const changed = box.matches("[data-pick-all]") ? boxes() : [box];
    for (const one of changed) {
      if (box.checked) picked.add(one.value);
      else picked.delete(one.value);
    }
    show();
  });
  document.addEventListener("htmx:after:swap", () => {
    freshAt = performance.now();
    document.documentElement.classList.remove("is-stale");
    // who left the filter is not acted upon unseen
    const there = new Set(boxes().map((box) => box.value));
    for (const value of picked) if (!there.has(value)) picked.delete(value);
    show();
    announce();
  });
  setInterval(() => {
    if (performance.now() - freshAt < STALE_MS) return;
    const live = board.querySelector("[data-live]");
    if (!live || live.dataset.live === "stale") return;
    live.dataset.live = "stale";
    live.textContent = board.dataset.cutOff;
    document.documentElement.classList.add("is-stale");
    announcer.textContent = board.dataset.cutOff;
  }, 2000);
  show();
  announce();
}
