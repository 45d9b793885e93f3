// Runs before the first paint: how the page looks must not jump after it was read.
// Choices live in the tab only. The next person at this computer starts with the ordinary look.
const root = document.documentElement;
root.classList.add("has-script");
try {
  const theme = sessionStorage.getItem("display.theme");
  const size = sessionStorage.getItem("display.text-size");
  if (theme) root.dataset.theme = theme;
  if (size) root.dataset.textSize = size;
} catch {
  root.dataset.storage = "none";
}
