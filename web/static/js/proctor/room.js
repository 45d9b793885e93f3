// The clock on the projector: counts on from the server's time, so the machine's own date does not matter.
const clock = document.querySelector("[data-second-of-day]");
if (clock) {
  const DAY_S = 86400;
  const startedAt = performance.now();
  const first = Number(clock.dataset.secondOfDay);
  const two = (number) => String(number).padStart(2, "0");
  const tick = () => {
    const second = (first + Math.floor((performance.now() - startedAt) / 1000)) % DAY_S;
    const parts = [Math.floor(second / 3600), Math.floor(second / 60) % 60, second % 60];
    clock.textContent = parts.map(two).join(clock.dataset.separator);
  };
  setInterval(tick, 1000);
  tick();
}
