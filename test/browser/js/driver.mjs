// Drives Chromium for the tests of this folder. It reads a command a line from standard
// input, as JSON, and answers each with a line: {"value": ...} or {"error": text}.
import { chromium } from 'playwright-core';
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

const commands = {
  open,
  click: ({ page, what }) => pages.get(page).locator(what).first().click(),
  fill: ({ page, what, text }) => pages.get(page).locator(what).first().fill(text),
  text: ({ page, what }) => pages.get(page).locator(what).first().innerText(),
  attribute: ({ page, what, name }) => pages.get(page).locator(what).first().getAttribute(name),
  url: ({ page }) => pages.get(page).url(),
  back: ({ page }) => pages.get(page).goBack({ waitUntil: 'load' }).then(() => null),
  reload: ({ page }) => pages.get(page).reload({ waitUntil: 'load' }).then(() => null),
  waitFor: ({ page, what }) => pages.get(page).locator(what).first().waitFor({ state: 'attached' }),
  waitURL: ({ page, text }) => pages.get(page).waitForURL((u) => u.href.startsWith(text)),
  // block keeps a page from reaching addresses with a text, as a person does who closes it.
  block: ({ page, text }) => pages.get(page).route((u) => u.href.includes(text), (r) => r.abort()).then(() => null),
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
