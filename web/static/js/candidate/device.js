// Looks at the computer before the sitting: how far its clock is off, how quick the connection is, how large
// the window. It reports; the server and the proctor decide.
const list = document.getElementById("device-checks");

const set = (id, state, value) => {
  const line = document.getElementById(id);
  if (!line) return;
  line.dataset.state = state;
  const text = line.querySelector("[data-text='" + state + "']");
  line.querySelector(".checklist__word").textContent = text ? text.textContent.replace("{value}", value) : value;
  const sign = line.querySelector("use");
  const name = { done: "check", caution: "caution", failed: "cross" }[state];
  sign.setAttribute("href", sign.getAttribute("href").replace(/#.*/, "#" + name));
};
const fill = (name, value) => {
  const input = document.querySelector("input[name='" + name + "']");
  if (input) input.value = String(value);
};
const middle = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

const probe = async (url) => {
  const from = performance.now();
  const sent = Date.now();
  const response = await fetch(url, { cache: "no-store" });
  const server = Number(await response.text());
  const round = performance.now() - from;
  return { round, offset: sent + round / 2 - server };
};

const look = async () => {
  fill("javascript", "1");
  set("check-script", "done", "");
  const size = innerWidth + " × " + innerHeight;
  fill("window_size", innerWidth + "x" + innerHeight);
  set("check-window", innerWidth >= 1000 && innerHeight >= 600 ? "done" : "caution", size);
  try {
    const rounds = [];
    for (let number = 0; number < 5; number += 1) rounds.push(await probe(list.dataset.probeUrl));
    const latency = Math.round(middle(rounds.map((one) => one.round)));
    const offset = Math.round(middle(rounds.map((one) => one.offset)));
    fill("latency_ms", latency);
    fill("clock_offset_ms", offset);
    set("check-connection", latency < 800 ? "done" : "caution", String(latency));
    set("check-clock", Math.abs(offset) < 120000 ? "done" : "caution", String(Math.round(Math.abs(offset) / 1000)));
  } catch {
    set("check-connection", "failed", "");
  }
};

if (list) look();
