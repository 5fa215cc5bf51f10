// Redraws the QR code each second, and loads the page again when the login goes on.
const page = document.getElementById('page');
const path = page.dataset.path;
const qr = document.getElementById('qr');
let order;
let drawn = 0;

async function look() {
  try {
    const answer = await fetch(path + '/state', { cache: 'no-store', credentials: 'same-origin' });
    const now = await answer.json();
    order ??= now.order;
    if (now.step !== 'sign' || String(now.opened) !== page.dataset.opened || now.order !== order) {
      location.replace(path);
      return;
    }
    if (qr) qr.src = path + '/qr?n=' + ++drawn;
  } catch {
    // The next look may succeed.
  }
  setTimeout(look, 1000);
}

setTimeout(look, 1000);
