// A page that the browser brings back from memory shows an old state of a sitting, or somebody else's page.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
