// What the pages hold beside what `--json` told of the same run; what is searched, chosen and sorted; and texts of those who mean harm.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, open, shownRows, told } from "./browser.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

// The rows of the page's data: each an object of its columns' values, and `all`, the texts it opens to.
function rowsOf(page) {
  return page.$eval("#data", (element) => {
    const { columns, texts, cells, sections } = JSON.parse(element.textContent);
    const textAt = (value) => (typeof value === "number" ? texts[value] : value.map(textAt));
    const collect = (value) => (typeof value === "number" ? [texts[value]] : Array.isArray(value) ? value.flatMap(collect) : []);
    return sections.map((opened, row) => {
      const values = columns.map(({ name, kind }, at) => {
        const cell = cells[at][row];
        return [name, kind === "number" ? cell : kind === "measure" ? cell[0] : textAt(cell)];
      });
      return { ...Object.fromEntries(values), all: collect(opened) };
    });
  });
}

function counted(values) {
  const counts = {};
  for (const value of values) {
    counts[value] = (counts[value] ?? 0) + 1;
  }
  return counts;
}

async function total(page, name) {
  return page.$$eval(".totals div", (all, name) => Number(all.find((one) => one.querySelector("dt").textContent === name).querySelector("dd").textContent), name);
}

async function plot(page, title) {
  const rows = await page.$$eval(
    "table.bars",
    (all, title) => [...all.find((one) => one.caption.textContent === title).tBodies[0].rows].map((row) => [...row.cells].map((cell) => cell.textContent)),
    title,
  );
  return rows.map(([name, number]) => [name, Number(number)]);
}

function count(page) {
  return page.$eval("#count", (count) => count.textContent);
}

async function countTold(page) {
  return Number((await count(page)).match(/^\d+/)[0]);
}

async function choose(page, label, value) {
  const id = await page.$$eval("#tools label", (all, label) => all.find((one) => one.textContent === label).htmlFor, label);
  const option = await page.$eval(`#${id}`, (select, value) => [...select.options].find((one) => one.textContent.replace(/ \(\d+\)$/, "") === value)?.value, value);
  assert.ok(option !== undefined, `${label} has no ${value}`);
  await page.select(`#${id}`, option);
}

async function search(page, words) {
  const before = await count(page);
  await page.$eval("#tools input", (input) => {
    input.value = "";
  });
  await page.type("#tools input", words);
  await page.waitForFunction((before) => document.getElementById("count").textContent !== before, {}, before);
}

test("scan: every incident of the JSON is in the page, with its jobs, days and accounts", async () => {
  const opened = await open(browser, "scan");
  const { page } = opened;
  const { incidents, jobs } = told("scan");
  const rows = await rowsOf(page);
  assert.equal(jobs, 10_000);
  // The estate is as wide as it should be.
  assert.ok(incidents.length >= 500 && new Set(incidents.map(({ cause }) => cause)).size >= 8);
  assert.equal(rows.length, incidents.length);
  rows.forEach((row, at) => {
    const incident = incidents[at];
    assert.equal(row.Cause, incident.cause);
    assert.equal(row.Jobs, incident.count);
    assert.deepEqual(row.Accounts, Object.keys(incident.accounts));
    assert.deepEqual(row.Regions, incident.regions);
    assert.equal(row["Copymend would"], incident.would.act);
    assert.equal(row.First, incident.first_seen.slice(0, 10));
    assert.equal(row.Last, incident.last_seen.slice(0, 10));
    assert.ok(row.Days.length >= 15 && row.Days[0] === row.First && row.Days.at(-1) === row.Last, row.Days.join());
    assert.ok(row.all.some((text) => text.includes(incident.resource)), `${incident.resource} isn't in the page`);
    assert.ok(row.all.includes(incident.example.job));
  });
  assert.equal(await total(page, "Jobs that failed"), jobs);
  assert.equal(await total(page, "Incidents"), incidents.length);
  const byCause = {};
  for (const { cause, count } of incidents) {
    byCause[cause] = (byCause[cause] ?? 0) + count;
  }
  assert.deepEqual(Object.fromEntries(await plot(page, "By cause")), byCause);
  const byAccount = await plot(page, "By account");
  assert.equal(byAccount.reduce((sum, [, number]) => sum + number, 0), jobs);
  assert.equal((await plot(page, "By day")).reduce((sum, [, number]) => sum + number, 0), jobs);
  await opened.close();
});

test("scan: an incident opens to evidence, steps with commands, and the policy before and after", async () => {
  const opened = await open(browser, "scan");
  const { page } = opened;
  await choose(page, "Cause", "destination-vault-policy");
  await page.click("button.open");
  const headings = await page.$$eval("tr.opened h3", (all) => all.map((one) => one.textContent));
  for (const heading of ["Evidence", "What people can do", "Who acts", "The change that Copymend would make", "The difference"]) {
    assert.ok(headings.includes(heading), `${heading}: ${headings}`);
  }
  const commands = await page.$$eval("tr.opened ol pre", (all) => all.map((one) => one.textContent));
  assert.ok(commands.some((command) => command.startsWith("aws backup put-backup-vault-access-policy")), commands.join("\n"));
  const added = await page.$$eval("tr.opened .added", (all) => all.map((one) => one.textContent).join(""));
  assert.match(added, /"Sid": "Copymend/);
  assert.equal((await page.$$("tr.opened .removed")).length, 0, "statements are only added");
  const links = await page.$$eval("tr.opened a", (all) => all.map((one) => one.href));
  assert.ok(links.length >= 1 && links.every((link) => /^https:\/\/([a-z0-9-]+\.)*(aws\.amazon\.com)\//.test(link)), links.join());
  await opened.close();
});

test("scan: search, choice and plots find what the JSON has", async () => {
  const opened = await open(browser, "scan");
  const { page } = opened;
  const { incidents } = told("scan");
  const account = "100000000007";
  const of = (cause) => incidents.filter((one) => (!cause || one.cause === cause) && account in one.accounts).length;
  await search(page, account);
  assert.equal(await countTold(page), of());
  await choose(page, "Cause", "service-fault");
  assert.equal(await countTold(page), of("service-fault"));
  // A word in whatever a row opens to.
  await page.evaluate(() => [...document.querySelectorAll("#tools button")].at(-1).click());
  assert.equal(await countTold(page), incidents.length);
  await search(page, incidents[123].example.job.toUpperCase());
  assert.deepEqual(await shownRows(page).then((rows) => rows.map((row) => row[0])), [incidents[123].cause]);
  assert.equal(await count(page), `1 of ${incidents.length} incidents`);
  await search(page, "no-such-thing-anywhere");
  assert.equal(await countTold(page), 0);
  await page.evaluate(() => [...document.querySelectorAll("#tools button")].at(-1).click());
  // A bar is a choice.
  await page.evaluate(() => [...document.querySelectorAll("button.choose")].find((one) => one.textContent === "vault-not-found").click());
  assert.equal(await countTold(page), incidents.filter(({ cause }) => cause === "vault-not-found").length);
  const day = incidents[0].last_seen.slice(0, 10);
  await choose(page, "Days", day);
  assert.ok((await countTold(page)) > 0);
  await opened.close();
});

test("scan: an only row is told as one", async () => {
  const { page, close } = await open(browser, "one");
  assert.equal(told("one").incidents.length, 1);
  assert.equal(await count(page), "1 incident");
  await close();
});

test("scan: every row is reached page by page, in the order that was asked for", async () => {
  const opened = await open(browser, "scan");
  const { page } = opened;
  const { incidents } = told("scan");
  await choose(page, "Sort by", "Jobs");
  await page.evaluate(() => [...document.querySelectorAll("#tools button")][0].click());
  const seen = [];
  for (;;) {
    const rows = await shownRows(page);
    const last = seen.length + rows.length;
    const range = rows.length === 1 ? `${last} is shown` : `${seen.length + 1} to ${last} are shown`;
    assert.equal(await count(page), `${incidents.length} incidents: ${range}`);
    seen.push(...rows);
    const next = (await page.$$("#pages button"))[1];
    if (await next.evaluate((button) => button.disabled)) {
      break;
    }
    await next.click();
  }
  const expected = incidents.map(({ count }) => count).sort((a, b) => a - b);
  assert.deepEqual(seen.map((row) => Number(row[2])), expected);
  assert.equal(new Set(seen.map((row) => row.join("|"))).size, incidents.length);
  // By the heading: ascending by name, then descending.
  for (const [order, sign] of [["ascending", 1], ["descending", -1]]) {
    await page.click("#table thead th:first-child button");
    assert.equal(await page.$eval("#table thead th:first-child", (heading) => heading.getAttribute("aria-sort")), order);
    const causes = incidents.map(({ cause }) => cause).sort();
    assert.equal((await shownRows(page))[0][0], sign > 0 ? causes[0] : causes.at(-1));
  }
  await opened.close();
});

test("preflight: every route of the JSON is in the page, and opens to what stands in its way", async () => {
  const opened = await open(browser, "preflight");
  const { page } = opened;
  const found = told("preflight");
  const rows = await rowsOf(page);
  assert.equal(found.routes.length, 300);
  assert.equal(rows.length, found.routes.length);
  rows.forEach((row, at) => {
    const route = found.routes[at];
    assert.equal(row.Verdict, { "will-fail": "WILL FAIL", "will-pass": "WILL PASS", "cannot-be-known": "CAN'T BE KNOWN" }[route.verdict]);
    assert.deepEqual(row.Why, [...route.in_the_way, ...(route.verdict === "cannot-be-known" ? route.open : [])].map(({ cause }) => cause));
    assert.equal(row.Account, route.account);
    assert.equal(row.Resources, route.resources.length);
    for (const text of [route.source_vault, route.destination_vault, route.job_role, ...route.resources]) {
      assert.ok(row.all.includes(text), text);
    }
    for (const { steps } of route.in_the_way) {
      // A line that isn't cut or broken stands there as it is.
      const lines = steps.flatMap((step) => step.split("\n")).filter((line) => line.length < 700 && !line.includes("://"));
      assert.ok(lines.every((line) => row.all.includes(line)), lines.join("\n"));
    }
  });
  assert.equal(await total(page, "Routes that will fail"), found.will_fail);
  assert.equal(await total(page, "Routes that will pass"), found.will_pass);
  await choose(page, "Verdict", "WILL FAIL");
  assert.equal(await countTold(page), found.will_fail);
  await choose(page, "Why", "source-key-policy");
  assert.equal(await countTold(page), found.routes.filter(({ in_the_way: way }) => way.some(({ cause }) => cause === "source-key-policy")).length);
  await page.click("button.open");
  assert.match(await page.$$eval("tr.opened .added", (all) => all.map((one) => one.textContent).join("")), /kms:/);
  await opened.close();
});

test("rpo: every place of the JSON is in the page, and ages sort as numbers", async () => {
  const opened = await open(browser, "rpo");
  const { page } = opened;
  const found = told("rpo");
  const rows = await rowsOf(page);
  assert.equal(found.places.length, 10_000);
  assert.equal(rows.length, found.places.length);
  rows.forEach((row, at) => {
    const place = found.places[at];
    assert.equal(row.State, place.state);
    assert.equal(row.Resource, place.resource);
    assert.equal(row.Type, place.resource_type);
    assert.equal(row.Age, place.age_seconds);
    assert.equal(row.Objective, place.objective_seconds);
  });
  const states = counted(found.places.map(({ state }) => state));
  assert.ok(Object.keys(states).length >= 4, JSON.stringify(states));
  assert.deepEqual(Object.fromEntries(await plot(page, "By state")), states);
  assert.equal(await total(page, "Places that miss their objective"), found.missed);
  await choose(page, "State", "late");
  assert.equal(await countTold(page), states.late);
  await choose(page, "Sort by", "Age");
  const oldest = Math.max(...found.places.map((place) => place.age_seconds ?? 0));
  assert.equal((await shownRows(page))[0][5], `${Math.floor(oldest / 86_400)}d${String(Math.floor((oldest % 86_400) / 3600)).padStart(2, "0")}h`);
  await choose(page, "State", "All");
  // Those without an age come last, both ways.
  for (let way = 0; way < 2; way += 1) {
    assert.notEqual((await shownRows(page))[0][5], "none");
    await page.evaluate(() => [...document.querySelectorAll("#tools button")][0].click());
  }
  await choose(page, "State", "never");
  await page.click("button.open");
  assert.match(await page.$$eval("tr.opened pre", (all) => all.map((one) => one.textContent).join("")), /copymend scan --facts --account \d{12}/);
  await opened.close();
});

for (const view of ["scan", "preflight", "rpo"]) {
  test(`${view}: what others wrote stays text, on its line, without links and hidden characters`, async () => {
    const opened = await open(browser, view);
    const { page } = opened;
    const isHostile = (text) => /onerror|forged|trust https|<b>/.test(text);
    const hostile = (await rowsOf(page)).filter((row) => Object.values(row).flat().some((value) => isHostile(String(value))));
    assert.ok(hostile.length > 0, "the world has no such text");
    // Open each of them, as far as a page shows them, and the remarks.
    await search(page, view === "scan" ? "trust" : "onerror");
    await page.$$eval("button.open", (all) => all.slice(0, 20).forEach((one) => one.click()));
    await page.$$eval("details", (all) => all.forEach((one) => one.setAttribute("open", "")));
    const text = await page.$eval("body", (body) => body.textContent);
    assert.ok(isHostile(text));
    // The title tells whether one of them ran; `close` looks at it. No element came of one either.
    assert.equal((await page.$$("img, b, i, iframe, object, form, base")).length, 0);
    assert.equal((await page.$$("script")).length, 2);
    const links = await page.$$eval("a", (all) => all.map((one) => one.getAttribute("href")));
    assert.ok(links.every((link) => link === "#rows" || /^https:\/\/([a-z0-9-]+\.)*aws\.amazon\.com\//.test(link)), links.join());
    const whole = await page.content();
    // eslint-disable-next-line no-control-regex
    const hidden = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;
    assert.doesNotMatch(whole, hidden);
    if (view === "scan") {
      assert.match(text, /trust https\[:\]\/\/evil\.example\/x \\u\{202e\}gnorw\\u\{2066\} \\u\{7\}\\u\{1b\}\[31mred <b>bold<\/b>/);
      assert.ok(!/^Copymend would: trust/m.test(await page.$eval("body", (body) => body.innerText)), "a line is forged");
    }
    await opened.close();
  });
}
