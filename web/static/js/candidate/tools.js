// What helps to read and think: size of the text, colours, a line to read along, options struck out, notes.
// Notes and struck options stay in the memory of this page and are gone with it.
const root = document.documentElement;
const bar = document.getElementById("tools");
const announcer = document.getElementById("announcer");
const struck = new Set();
const sizes = ["0", "1", "2", "3"];

const remember = (name, value) => {
  try {
    if (value) sessionStorage.setItem("display." + name, value);
    else sessionStorage.removeItem("display." + name);
  } catch {
    // The choice holds for this page only.
  }
};

const changeSize = (step) => {
  const now = sizes.indexOf(root.dataset.textSize || "0");
  const next = sizes[Math.max(0, Math.min(sizes.length - 1, now + step))];
  if (next === "0") delete root.dataset.textSize;
  else root.dataset.textSize = next;
  remember("text-size", next === "0" ? "" : next);
};

const showTheme = () => {
  for (const button of bar.querySelectorAll("[data-theme-choice]")) {
    button.setAttribute("aria-pressed", String((root.dataset.theme || "") === button.dataset.themeChoice));
  }
};

const changeTheme = (name) => {
  if (name) root.dataset.theme = name;
  else delete root.dataset.theme;
  remember("theme", name);
  showTheme();
};

// The buttons are made here, not sent with every item: an answer's round trip stays small.
const addStrike = (row) => {
  const button = document.getElementById("strike-button").content.firstElementChild.cloneNode(true);
  const words = button.lastElementChild;
  words.textContent = words.textContent.replace("{letter}", row.querySelector(".option__letter").textContent);
  row.append(button);
  return button;
};

const markStruck = () => {
  const on = root.dataset.eliminator === "on";
  for (const row of document.querySelectorAll("[data-option]")) {
    const button = row.querySelector("[data-strike]") || addStrike(row);
    const is = struck.has(row.dataset.option);
    row.dataset.struck = is ? "yes" : "no";
    button.hidden = !on && !is;
    button.setAttribute("aria-pressed", String(is));
  }
};

const toggle = (button, name) => {
  const on = root.dataset[name] !== "on";
  if (on) root.dataset[name] = "on";
  else delete root.dataset[name];
  button.setAttribute("aria-pressed", String(on));
  return on;
};

const actions = {
  larger: () => changeSize(1),
  smaller: () => changeSize(-1),
  reader: (button) => toggle(button, "reader"),
  eliminator: (button) => {
    toggle(button, "eliminator");
    markStruck();
  },
  notes: (button) => {
    const open = toggle(button, "notes");
    const notes = document.getElementById("notes");
    notes.hidden = !open;
    if (open) notes.querySelector("textarea").focus();
  },
};

if (bar) {
  const band = document.getElementById("line-reader");
  document.addEventListener("click", (event) => {
    const tool = event.target.closest("[data-tool]");
    const theme = event.target.closest("[data-theme-choice]");
    const strike = event.target.closest("[data-strike]");
    if (tool) actions[tool.dataset.tool](tool);
    if (theme) changeTheme(theme.dataset.themeChoice);
    if (strike) {
      const option = strike.closest("[data-option]").dataset.option;
      if (!struck.delete(option)) struck.add(option);
      markStruck();
    }
  });

  const follow = (top) => {
    if (root.dataset.reader === "on" && band) band.style.setProperty("inset-block-start", Math.round(top) + "px");
  };
  document.addEventListener("pointermove", (event) => follow(event.clientY - 24), { passive: true });
  document.addEventListener("focusin", (event) => follow(event.target.getBoundingClientRect().top - 6));

  const fresh = () => {
    const region = document.getElementById("item-region");
    const now = region && region.querySelector("[name='presentation']");
    if (!now || region.dataset.struckFor === now.value) return markStruck();
    region.dataset.struckFor = now.value;
    struck.clear();
    return markStruck();
  };
  for (const name of ["htmx:afterSwap", "htmx:after:swap"]) document.addEventListener(name, fresh);
  showTheme();
  fresh();
}
