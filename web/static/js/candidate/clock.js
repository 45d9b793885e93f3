// Shows the time that is left. The server decides; this only counts down from what it said, on the
// browser's steady clock, so a computer with a wrong date shows the right time.
const root = document.documentElement;
const region = document.getElementById("item-region");
const milestone = document.getElementById("milestone");
const texts = document.getElementById("clock-texts");
let deadline = 0;
let node = null;
let said = Infinity;
let silence = 0;

const two = (number) => String(number).padStart(2, "0");
const written = (seconds, separator) => {
  const hours = Math.floor(seconds / 3600);
  const tail = two(Math.floor(seconds / 60) % 60) + separator + two(seconds % 60);
  return hours ? hours + separator + tail : tail;
};

// A milestone is shown even when the clock is hidden, and read out; after a while it makes room again.
const say = (text) => {
  if (!milestone) return;
  milestone.textContent = text;
  clearTimeout(silence);
  silence = setTimeout(() => {
    milestone.textContent = "";
  }, 20000);
};

const tick = () => {
  if (!node) return;
  const left = Math.max(0, Math.ceil((deadline - performance.now()) / 1000));
  node.textContent = written(left, node.dataset.separator);
  node.closest("[data-clock]").dataset.urgency = left <= 60 ? "last" : left <= 300 ? "soon" : "";
  if (texts) {
    for (const entry of texts.querySelectorAll("[data-at-s]")) {
      const at = Number(entry.dataset.atS);
      if (left <= at && said > at) say(entry.textContent);
    }
  }
  said = Math.min(said, left);
  if (left === 0 && region && region.dataset.expiredUrl) {
    node = null;
    location.assign(region.dataset.expiredUrl);
  }
};

const begin = () => {
  const found = document.querySelector("[data-remaining-ms]");
  if (!found) {
    node = null;
    return;
  }
  if (found === node) return;
  node = found;
  deadline = performance.now() + Number(found.dataset.remainingMs);
  if (said === Infinity) said = Math.ceil(Number(found.dataset.remainingMs) / 1000);
  tick();
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-hide-clock]");
  if (!button) return;
  const hidden = root.dataset.clock !== "hidden";
  if (hidden) root.dataset.clock = "hidden";
  else delete root.dataset.clock;
});
for (const name of ["htmx:afterSwap", "htmx:after:swap"]) document.addEventListener(name, begin);
begin();
setInterval(tick, 1000);
