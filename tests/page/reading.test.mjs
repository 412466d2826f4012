// Each view as a person meets it: on a desk and a phone, light and dark, without a script, by keyboard, with a screen reader.
import assert from "node:assert/strict";
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { DESKTOP, PAGES, PHONE, TOOLS, accessibilityFaults, launch, open, shownRows } from "./browser.mjs";

const VIEWS = ["scan", "preflight", "rpo"];
const SHOTS = join(TOOLS, "shots");
let browser;

before(async () => {
  mkdirSync(SHOTS, { recursive: true });
  browser = await launch();
});
after(() => browser.close());

for (const view of VIEWS) {
  for (const [place, viewport] of [["desktop", DESKTOP], ["phone", PHONE]]) {
    for (const scheme of ["light", "dark"]) {
      test(`${view}, ${place}, ${scheme}: nothing is wider than the window, and axe finds nothing`, async () => {
        const opened = await open(browser, view, { viewport, scheme });
        const { page } = opened;
        await page.$eval("button.open", (button) => button.click());
        await page.$$eval("details", (all) => all.forEach((one) => one.setAttribute("open", "")));
        await page.screenshot({ path: join(SHOTS, `${view}-${place}-${scheme}.png`) });
        await page.$eval("#rows", (heading) => heading.scrollIntoView());
        await page.screenshot({ path: join(SHOTS, `${view}-${place}-${scheme}-rows.png`) });
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(width <= viewport.width, `${width} pixels`);
        assert.deepEqual(await accessibilityFaults(page), []);
        await opened.close();
      });
    }
  }

  test(`${view}: nothing is wider than any window`, async () => {
    const opened = await open(browser, view);
    await opened.page.$eval("button.open", (button) => button.click());
    // 1120 pixels is where cards become a table.
    for (const width of [320, 500, 700, 1119, 1120, 1121, 1300, 2000]) {
      await opened.page.setViewport({ width, height: 800 });
      const found = await opened.page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(found <= width, `${found} of ${width} pixels`);
    }
    await opened.close();
  });

  test(`${view}: it is small, and has few elements at first sight`, async () => {
    const opened = await open(browser, view);
    const elements = await opened.page.evaluate(() => document.querySelectorAll("*").length);
    const nodes = await opened.page.evaluate(() => {
      const walker = document.createTreeWalker(document, NodeFilter.SHOW_ALL);
      let count = 1;
      while (walker.nextNode()) {
        count += 1;
      }
      return count;
    });
    const size = statSync(join(PAGES, `${view}.html`)).size;
    console.log(`${view}: ${(size / 1e6).toFixed(2)} MB, ${elements} elements, ${nodes} nodes with texts`);
    assert.ok(size < 5e6);
    assert.ok(nodes <= 3000);
    await opened.close();
  });

  test(`${view}: without a script the totals and the first rows are there`, async () => {
    const withScript = await open(browser, view);
    const expected = (await shownRows(withScript.page)).slice(0, 10);
    await withScript.close();
    const opened = await open(browser, view, { script: false, viewport: PHONE });
    // No script of the page runs; the driver's own does.
    const { page } = opened;
    assert.deepEqual(await shownRows(page), expected);
    const texts = await page.$$eval(".totals dd", (all) => all.map((one) => one.textContent));
    assert.ok(texts.length >= 6 && texts.some((text) => Number(text) > 0), texts.join());
    assert.equal(await page.$eval("#tools", (tools) => tools.offsetHeight), 0);
    const steps = await page.$$eval("#table details", (all) => all.map((one) => one.textContent.length));
    assert.ok(steps.length === 10 && steps.every((length) => length > 40), steps.join());
    assert.match(await page.$eval("noscript", (one) => one.textContent), /first 10 of \d+/);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= PHONE.width, `${width} pixels`);
    await opened.close();
  });

  test(`${view}: by keyboard to the search, to a row, into it and back`, async () => {
    const opened = await open(browser, view);
    const { page } = opened;
    const focused = () => page.evaluate(() => document.activeElement.outerHTML.slice(0, 200));
    const press = async (key, isThere) => {
      for (let pressed = 0; pressed < 120; pressed += 1) {
        if (await page.evaluate(isThere)) {
          return;
        }
        await page.keyboard.press(key);
      }
      assert.fail(`never reached: ${isThere}; at ${await focused()}`);
    };
    // The first thing is the way past everything.
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.getAttribute("href")), "#rows");
    await page.keyboard.press("Enter");
    await press("Tab", () => document.activeElement.type === "search");
    const word = (await shownRows(page))[3][1].split(" ")[0];
    await page.keyboard.type(word);
    await page.waitForFunction(() => /^\d+ of \d+ /.test(document.getElementById("count").textContent));
    await press("Tab", () => document.activeElement.matches("#table button.open"));
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.notEqual(outline, "none", "the focus can't be seen");
    await page.keyboard.press("Enter");
    const isOpen = () => page.evaluate(() => [document.activeElement.getAttribute("aria-expanded"), document.querySelectorAll("tr.opened h3").length > 0]);
    assert.deepEqual(await isOpen(), ["true", true]);
    await page.keyboard.press("Escape");
    assert.deepEqual(await isOpen(), ["false", false]);
    // Escape in what is open leads back, too.
    await page.keyboard.press("Space");
    await page.$eval("tr.opened td", (cell) => {
      cell.tabIndex = -1;
      cell.focus();
    });
    await page.keyboard.press("Escape");
    assert.deepEqual(await isOpen(), ["false", false]);
    await opened.close();
  });

  test(`${view}: a screen reader is told landmarks, headings, the table and the count`, async () => {
    const opened = await open(browser, view, { viewport: PHONE });
    const { page } = opened;
    const tree = await page.accessibility.snapshot({ interestingOnly: false });
    const found = [];
    const walk = (node) => {
      found.push(node);
      (node.children ?? []).forEach(walk);
    };
    walk(tree);
    const of = (role) => found.filter((node) => node.role === role);
    for (const role of ["banner", "main", "contentinfo", "search", "status", "table", "columnheader", "rowheader"]) {
      assert.ok(of(role).length > 0, `no ${role}`);
    }
    assert.deepEqual(of("heading").filter(({ level }) => level === 1).length, 1);
    assert.ok(of("heading").filter(({ level }) => level === 2).length >= 3);
    const live = await page.$eval("#count", (count) => [count.getAttribute("role"), count.textContent]);
    assert.match(live.join(" "), /^status \d+ (incidents|routes|places)/);
    await opened.close();
  });

  test(`${view}: on paper it has its rows and no tools`, async () => {
    const opened = await open(browser, view);
    await opened.page.emulateMediaType("print");
    const heights = await opened.page.evaluate(() => ["tools", "table"].map((id) => document.getElementById(id).offsetHeight));
    assert.equal(heights[0], 0);
    assert.ok(heights[1] > 0);
    assert.ok((await opened.page.pdf({ format: "a4" })).length > 10_000);
    await opened.close();
  });
}
