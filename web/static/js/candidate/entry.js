// The pledge has a time limit, and the waiting room moves on by itself: both are also done by the server.
const consent = document.querySelector("[data-consent-ms]");
if (consent && consent.dataset.expiredUrl) {
  setTimeout(() => location.assign(consent.dataset.expiredUrl), Number(consent.dataset.consentMs) + 500);
}
