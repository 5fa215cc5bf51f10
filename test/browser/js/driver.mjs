// Drives Chromium for the tests of this folder. It reads a command a line from standard
// input, as JSON, and answers each with a line: {"value": ...} or {"error": text}.
import { chromium } from 'playwright-core';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const limit = 30_000; // milliseconds for one command
const browser = await chromium.launch({ executablePath: process.env.SAMLA_CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
const pages = new Map();
const violations = [];
const foreign = [];

async function open({ page, url }) {
  // A page of its own context is a browser of its own: it shares no cookies.
  if (!pages.has(page)) {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: 'en-GB' });
    context.setDefaultTimeout(limit);
    const p = await context.newPage();
    p.on('console', (m) => { if (m.text().includes('Content Security Policy')) violations.push(m.text()); });
    p.on('request', (r) => foreign.push(new URL(r.url()).host));
    pages.set(page, p);
  }
  await pages.get(page).goto(url, { waitUntil: 'load' });
}

const axe = readFileSync(new URL('node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

// seen sets how a page is looked at: its size in pixels, and "light" or "dark".
const seen = async ({ page, width, height, scheme }) => {
  const p = pages.get(page);
  await p.setViewportSize({ width, height });
  await p.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
  return p;
};

const inside = new Map(); // the frame of a page that commands are about

// at finds an element of a page, or of the frame in it.
function at(page, what) {
  const frame = inside.get(page);
  return (frame ? pages.get(page).frameLocator(frame).locator(what) : pages.get(page).locator(what)).first();
}

const commands = {
  open,
  // picture writes a PNG of the whole page.
  picture: async (c) => { await (await seen(c)).screenshot({ path: c.path, fullPage: true }); },
  // judge returns what is wrong with a page: what axe-core finds (WCAG 2.2 A and AA, and best
  // practice), and whether it scrolls sideways.
  judge: async (c) => {
    const p = await seen(c);
    await p.evaluate(axe);
    return p.evaluate(async () => {
      const { violations } = await window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] });
      const found = violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => n.target.join(' ') + ' ' + (n.any[0]?.message ?? '')).join(' | ')}`);
      const root = document.documentElement;
      if (root.scrollWidth > root.clientWidth) found.push(`the page scrolls sideways: ${root.scrollWidth} of ${root.clientWidth}`);
      return found;
    });
  },
  // stops presses Tab until the focus is back, and returns where it was, with a ! where no
  // ring is seen.
  stops: async ({ page }) => {
    const p = pages.get(page);
    await p.evaluate(() => document.activeElement?.blur());
    const all = [];
    for (let i = 0; i < 60; i++) {
      await p.keyboard.press('Tab');
      const stop = await p.evaluate(() => {
        const e = document.activeElement;
        if (!e || e === document.body) return '';
        const near = e.closest('.row') ?? e;
        const ring = [e, near].some((x) => parseFloat(getComputedStyle(x).outlineWidth) >= 2 && getComputedStyle(x).outlineStyle !== 'none');
        return (ring ? '' : '!') + (e.innerText || e.name || e.id || e.tagName).trim().split('\n')[0];
      });
      if (!stop) break;
      all.push(stop);
    }
    return all;
  },
  focused: ({ page }) => pages.get(page).evaluate(() => document.activeElement?.innerText ?? ''),
  // fetch gets an address with the cookies of the page, in base64.
  fetch: async ({ page, url }) => {
    const answer = await pages.get(page).context().request.get(url);
    return (await answer.body()).toString('base64');
  },
  click: ({ page, what }) => at(page, what).click(),
  fill: ({ page, what, text }) => at(page, what).fill(text),
  text: ({ page, what }) => at(page, what).innerText(),
  attribute: ({ page, what, name }) => at(page, what).getAttribute(name),
  url: ({ page }) => pages.get(page).url(),
  back: ({ page }) => pages.get(page).goBack({ waitUntil: 'load' }).then(() => null),
  reload: ({ page }) => pages.get(page).reload({ waitUntil: 'load' }).then(() => null),
  waitFor: ({ page, what }) => at(page, what).waitFor({ state: 'attached' }),
  waitURL: ({ page, text }) => pages.get(page).waitForURL((u) => u.href.startsWith(text)),
  // block keeps a page from reaching addresses with a text, as a person does who closes it.
  block: ({ page, text }) => pages.get(page).route((u) => u.href.includes(text), (r) => r.abort()).then(() => null),
  // screenshot is a PNG in base64: of an element, or of the page; in light, for scanners.
  screenshot: async ({ page, what }) => {
    await pages.get(page).emulateMedia({ colorScheme: 'light' });
    const png = what ? await at(page, what).screenshot() : await pages.get(page).screenshot({ fullPage: true });
    return png.toString('base64');
  },
  // draw returns the code of a text as the page draws it.
  draw: ({ page, text }) => pages.get(page).evaluate((t) => window.samlaLook.qr(t), text),
  // mark marks what is shown now: another page, or another state, has no mark.
  mark: ({ page }) => pages.get(page).evaluate(() => { document.getElementById('main').dataset.marked = 'yes'; }),
  offline: ({ page, off }) => pages.get(page).context().setOffline(off),
  // tab opens an address in another tab of the same browser, as another page of the tests.
  tab: async ({ page, other, url }) => {
    const p = await pages.get(page).context().newPage();
    p.on('console', (m) => { if (m.text().includes('Content Security Policy')) violations.push(m.text()); });
    pages.set(other, p);
    await p.goto(url, { waitUntil: 'load' });
  },
  // into opens a page; what follows is about the frame in it, until outOf.
  into: async ({ page, url, what }) => { await open({ page, url }); inside.set(page, what); },
  outOf: ({ page }) => { inside.delete(page); return null; },
  close: async ({ page }) => { await pages.get(page).context().close(); pages.delete(page); },
  violations: () => violations,
  hosts: () => [...new Set(foreign)],
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  try {
    process.stdout.write(JSON.stringify({ value: (await commands[command.do](command)) ?? null }) + '\n');
  } catch (e) {
    process.stdout.write(JSON.stringify({ error: String(e.message) }) + '\n');
  }
}
await browser.close();
