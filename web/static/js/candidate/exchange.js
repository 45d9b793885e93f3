// An answer is kept in this browser until the server has acknowledged it, and sent again until then.
// Kept are the choice and the presentation it belongs to; never the text of an item.
const region = document.getElementById("item-region");
const state = document.getElementById("connection");
const announcer = document.getElementById("announcer");
const waits = [1000, 2000, 4000, 8000, 15000];
let attempts = 0;
let timer = 0;

const key = () => "unsent." + region.dataset.sitting;
const read = () => {
  try {
    return JSON.parse(localStorage.getItem(key()) || "null");
  } catch {
    return null;
  }
};
const keep = (answer) => {
  try {
    localStorage.setItem(key(), JSON.stringify(answer));
  } catch {
    // Storage refused: the form on the screen still holds the choice.
  }
};
const forget = () => {
  try {
    localStorage.removeItem(key());
  } catch {
    // Nothing was kept.
  }
};
const form = () => document.getElementById("answer-form");

const show = (name) => {
  if (!state || state.dataset.state === name) return;
  state.dataset.state = name;
  for (const part of state.querySelectorAll("[data-when]")) part.hidden = part.dataset.when !== name;
  const said = state.querySelector("[data-when='" + name + "'] [data-say]");
  if (said) announcer.textContent = said.textContent;
};

const send = (answer) => {
  const current = form();
  if (!current || current.elements.presentation.value !== answer.presentation) return false;
  for (const input of current.querySelectorAll("[name='response']")) {
    if (input.type === "radio") input.checked = input.value === answer.response;
  }
  let button = [...current.querySelectorAll("button[name='" + answer.button + "']")].find((one) => one.value === answer.value);
  if (!button) {
    button = document.createElement("button");
    button.type = "submit";
    button.name = answer.button;
    button.value = answer.value;
    button.hidden = true;
    current.append(button);
  }
  current.requestSubmit(button);
  return true;
};

const retry = () => {
  clearTimeout(timer);
  const answer = read();
  if (!answer || !send(answer)) {
    forget();
    show("connected");
  }
};

const acknowledged = () => {
  clearTimeout(timer);
  attempts = 0;
  forget();
  show("connected");
};

const lost = () => {
  if (!read()) {
    show("cut-off");
    return;
  }
  show("unsent");
  clearTimeout(timer);
  timer = setTimeout(retry, waits[Math.min(attempts, waits.length - 1)]);
  attempts += 1;
};

if (region) {
  // The server asks none of this, and each answer would carry it over a district's line.
  document.addEventListener("htmx:config:request", (event) => {
    const request = event.detail.ctx.request;
    for (const name of ["HX-Current-URL", "HX-Source", "HX-Target", "HX-Request-Type"]) delete request.headers[name];
    request.referrerPolicy = "strict-origin";
  });
  document.addEventListener("submit", (event) => {
    const sent = event.target;
    if (sent.id !== "answer-form" || event.defaultPrevented) return;
    const data = new FormData(sent);
    const response = data.get("response");
    if (!response) return;
    const button = event.submitter;
    sent.elements.client_at_ms.value = String(Date.now());
    keep({ presentation: data.get("presentation"), response, button: button ? button.name : "confirm", value: button ? button.value : "0" });
  }, true);

  const finished = (event) => {
    const detail = event.detail || {};
    const source = detail.ctx ? detail.ctx.sourceElement : detail.elt;
    if (!source || source.id !== "answer-form") return;
    const status = detail.xhr ? detail.xhr.status : detail.ctx && detail.ctx.response ? detail.ctx.response.status : 0;
    if (status >= 200 && status < 500 && status !== 429) acknowledged();
    else lost();
  };
  // Version 2, then version 4. The last event of version 4 is not used: it goes to a form that is no longer there.
  for (const name of ["htmx:afterRequest", "htmx:after:request", "htmx:error"]) document.addEventListener(name, finished);

  const swapped = () => {
    const heading = region.querySelector("[data-focus]");
    if (!heading) return;
    heading.focus({ preventScroll: true });
    scrollTo({ top: 0, behavior: "instant" });
    const saved = region.querySelector("[data-saved]");
    if (saved) announcer.textContent = saved.textContent.trim();
  };
  document.addEventListener("htmx:afterSwap", swapped);
  document.addEventListener("htmx:after:swap", swapped);

  addEventListener("online", retry);
  addEventListener("offline", () => show(read() ? "unsent" : "cut-off"));

  const left = read();
  if (left && !send(left)) forget();
}
