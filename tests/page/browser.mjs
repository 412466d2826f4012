// A browser, and pages opened in it that are watched: no error, no request.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const TOOLS = fileURLToPath(new URL("../../.test-tools/page", import.meta.url));
export const PAGES = join(TOOLS, "pages");

const installed = createRequire(join(TOOLS, "package.json"));
const chromium = installed("@sparticuz/chromium");
const puppeteer = installed("puppeteer-core");
const axeFile = installed.resolve("axe-core/axe.min.js");

export async function launch() {
  return puppeteer.launch({
    // CHROMIUM names another one, such as Debian's on a processor that the package isn't made for.
    executablePath: process.env.CHROMIUM ?? (await chromium.executablePath()),
    // Root can't have Chromium's sandbox; the page is ours.
    args: ["--no-sandbox", "--disable-gpu", "--font-render-hinting=none"],
    headless: "shell",
  });
}

export const DESKTOP = { width: 1280, height: 900 };
export const PHONE = { width: 320, height: 640, isMobile: true, hasTouch: true };

// Opens the page of a view, and fails at the end if it asked for anything or if anything went wrong in it.
export async function open(browser, view, { viewport = DESKTOP, scheme = "light", script = true } = {}) {
  const page = await browser.newPage();
  const wrong = [];
  const address = pathToFileURL(join(PAGES, `${view}.html`)).href;
  page.on("console", (message) => wrong.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => wrong.push(`error: ${error}`));
  page.on("dialog", (dialog) => wrong.push(`dialog: ${dialog.message()}`));
  page.on("request", (request) => {
    if (request.url().split("#")[0] !== address) {
      wrong.push(`request: ${request.url()}`);
    }
  });
  await page.setViewport(viewport);
  await page.setJavaScriptEnabled(script);
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.goto(address);
  return {
    page,
    async close() {
      const title = await page.title();
      await page.close();
      assert.deepEqual(wrong, []);
      assert.match(title, / – Copymend$/);
    },
  };
}

// The rows as the page shows them now: their cells as text.
export function shownRows(page) {
  return page.$$eval("#table tbody tr:not(.opened)", (rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent)));
}

// What axe finds, as `rule: element`. The checker goes past the page's policy, as a reader's extension does.
export async function accessibilityFaults(page) {
  await page.evaluate(readFileSync(axeFile, "utf8"));
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 200)} ${node.failureSummary}`));
}

export function told(view) {
  return JSON.parse(readFileSync(join(PAGES, `${view}.json`), "utf8"));
}
