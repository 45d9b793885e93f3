// While a form is on its way it says so, and a second click is not sent.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.getAttribute("aria-busy") === "true") {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  form.setAttribute("aria-busy", "true");
}, true);

const finish = () => {
  for (const form of document.querySelectorAll("form[aria-busy='true']")) form.removeAttribute("aria-busy");
};
// The names of version 2 and of version 4 of htmx.
for (const name of ["htmx:afterRequest", "htmx:finally:request"]) document.addEventListener(name, finish);
addEventListener("pageshow", finish);
