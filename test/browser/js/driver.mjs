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

async function open({ page, url, plain }) {
  // A page of its own context is a browser of its own: it shares no cookies.
  if (!pages.has(page)) {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: 'en-GB', javaScriptEnabled: !plain });
    context.setDefaultTimeout(limit);
    const p = await context.newPage();
    p.on('console', (m) => { if (m.text().includes('Content Security Policy')) violations.push(m.text()); });
    p.on('request', (r) => foreign.push(new URL(r.url()).host));
    pages.set(page, p);
  }
  await pages.get(page).goto(url, { waitUntil: 'load' });
}

const weights = new Map(); // what pages have been sent

const axe = readFileSync(new URL('node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

// seen sets how a page is looked at: its size in pixels, and "light" or "dark".
const seen = async ({ page, width, height, scheme }) => {
  const p = pages.get(page);
  await p.setViewportSize({ width, height });
  await p.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
  return p;
};

const devices = new Map(); // the authenticators of pages
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
  // practice), and whether it scrolls sideways. Where the same page was judged at this width
  // in the other scheme, only what depends on colours is looked at again.
  judge: async (c) => {
    const p = await seen(c);
    if (!(await p.evaluate(() => 'axe' in window))) await p.evaluate(axe);
    return p.evaluate(async () => {
      const judged = (window.samlaJudged ??= new Set()), now = window.innerWidth + document.documentElement.outerHTML;
      const runOnly = judged.has(now) ? { type: 'rule', values: ['color-contrast', 'link-in-text-block'] }
        : ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
      const { violations } = await window.axe.run(document, { runOnly });
      if (!violations.length) judged.add(now);
      const found = violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => n.target.join(' ') + ' ' + (n.any[0]?.message ?? '')).join(' | ')}`);
      const root = document.documentElement;
      const sideways = (when) => { if (root.scrollWidth > root.clientWidth) found.push(`the page scrolls sideways${when}: ${root.scrollWidth} of ${root.clientWidth}`); };
      sideways('');
      if (root.clientWidth > 600) { // text of twice the size, on half of the window
        root.style.fontSize = '200%';
        sideways(' with text of twice the size');
        root.style.fontSize = '';
      }
      const moving = document.getAnimations().filter((a) => a.playState === 'running').length;
      if (moving) found.push(`${moving} things move, although the person wants none to`);
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
  key: ({ page, key }) => pages.get(page).keyboard.press(key),
  // tabTo presses Tab until the focus is on a link or a button with a text, then Enter.
  tabTo: async ({ page, text }) => {
    const p = pages.get(page);
    for (let i = 0; i < 80; i++) {
      await p.keyboard.press('Tab');
      if (await p.evaluate((t) => (document.activeElement?.innerText ?? '').includes(t), text)) return p.keyboard.press('Enter');
    }
    throw new Error(`the Tab key does not reach ${text}: ${(await p.locator('main').innerText()).slice(0, 600)}`);
  },
  // slow opens an address as on a slow phone, and counts what is sent.
  slow: async ({ page, url }) => {
    await open({ page, url: 'about:blank' });
    const p = pages.get(page);
    const cdp = await p.context().newCDPSession(p);
    const sum = { bytes: 0, requests: 0, paints: [] };
    weights.set(page, sum);
    await cdp.send('Network.enable');
    cdp.on('Network.loadingFinished', (e) => { sum.bytes += e.encodedDataLength; sum.requests++; });
    await p.exposeFunction('samlaPainted', (at) => { sum.paints.push(at); });
    await p.addInitScript(() => new PerformanceObserver((list) => {
      for (const e of list.getEntriesByName('first-contentful-paint')) window.samlaPainted(e.startTime);
    }).observe({ type: 'paint', buffered: true }));
    await cdp.send('Network.emulateNetworkConditions', { offline: false, latency: 150, downloadThroughput: 200_000, uploadThroughput: 94_000 });
    await cdp.send('Emulation.setCPUThrottlingRate', { rate: 4 });
    await p.goto(url, { waitUntil: 'load' });
  },
  weight: ({ page }) => weights.get(page),
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
  // in waits for a state, and says which one there is instead.
  in: async ({ page, state }) => {
    try {
      await at(page, `main[data-view=${state}]`).waitFor({ state: 'attached' });
    } catch {
      throw new Error(`the page is in ${await at(page, 'main').getAttribute('data-view')}: ${(await at(page, 'main').innerText()).slice(0, 300)}`);
    }
  },
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
  // authenticator gives a page a device that makes passkeys (the domain WebAuthn of the DevTools protocol), or lets the one that it has verify its person, or not.
  authenticator: async ({ page, verifies }) => {
    const p = pages.get(page);
    const has = devices.get(page);
    if (has) return has.session.send('WebAuthn.setUserVerified', { authenticatorId: has.authenticatorId, isUserVerified: verifies });
    const session = await p.context().newCDPSession(p);
    await session.send('WebAuthn.enable');
    const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', { options: { protocol: 'ctap2', transport: 'internal',
      hasResidentKey: true, hasUserVerification: true, isUserVerified: verifies, automaticPresenceSimulation: true } });
    devices.set(page, { session, authenticatorId });
  },
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
