// Shows the page's rows: searched, chosen, sorted, fifty at a time.
//
// The rows are data (`#data`): each text once in `texts`, and everything else refers to texts by their
// places. Rows become elements only when they are shown, so that ten thousand cost no more than fifty.
// Texts go into the page by `textContent` and attributes, never as HTML: they hold what others wrote.
"use strict";

(() => {
  const PAGE_LENGTH = 50;
  // A list of more choices can't be read; the others are found by the search.
  const MOST_CHOICES = 50;
  // What isn't longer stays on one line.
  const SHORT = 14;
  // A key is pressed every 100 ms or so: the search waits until the reader pauses.
  const PAUSE = 120;

  const source = document.getElementById("data");
  if (!source) {
    return;
  }
  const { rowIs, rowsAre, columns, texts, cells, sections } = JSON.parse(source.textContent);
  const rowCount = sections.length;
  const shownColumns = columns.map((_, at) => at).filter((at) => !columns[at].hidden);
  const table = document.getElementById("table");
  const body = table.tBodies[0];
  const count = document.getElementById("count");
  const pages = document.getElementById("pages");

  // What is shown, and how.
  const state = { words: [], chosen: new Map(), sortBy: -1, isDescending: false, page: 0 };
  let rows = [];

  function make(name, attributes = {}, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      element.setAttribute(key, value);
    }
    element.append(...children);
    return element;
  }

  // The texts that a cell shows, by their places.
  function textsOf(column, row) {
    const value = cells[column][row];
    switch (columns[column].kind) {
      case "text":
        return [value];
      case "list":
        return value;
      case "measure":
        return [value[1]];
      default:
        return [];
    }
  }

  function shown(column, row) {
    if (columns[column].kind === "number") {
      return String(cells[column][row]);
    }
    const places = textsOf(column, row);
    return places.map((place) => texts[place]).join(", ");
  }

  // ---- Search: a row is found if each word stands in one of its texts.

  // The numbers in a section are places of texts, however deep they lie.
  function collect(value, into) {
    if (typeof value === "number") {
      into.push(value);
    } else if (Array.isArray(value)) {
      for (const one of value) {
        collect(one, into);
      }
    }
  }

  // Made by the first search: who only looks doesn't pay for it.
  let searchable;
  function makeSearchable() {
    searchable = {
      lower: texts.map((text) => text.toLowerCase()),
      ofRow: sections.map((opened, row) => {
        const places = [];
        columns.forEach((_, column) => places.push(...textsOf(column, row)));
        collect(opened, places);
        return Uint32Array.from(new Set(places));
      }),
    };
  }

  function search(candidates) {
    if (state.words.length === 0) {
      return candidates;
    }
    if (!searchable) {
      makeSearchable();
    }
    // Each text is looked at once, not once for every row that holds it.
    const found = state.words.map((word) => searchable.lower.map((text) => text.includes(word)));
    return candidates.filter((row) => found.every((has) => searchable.ofRow[row].some((place) => has[place])));
  }

  // ---- Choice and order

  function isChosen(row) {
    for (const [column, place] of state.chosen) {
      if (!textsOf(column, row).includes(place)) {
        return false;
      }
    }
    return true;
  }

  function keyOf(column, row) {
    switch (columns[column].kind) {
      case "number":
        return cells[column][row];
      case "measure":
        return cells[column][row][0];
      default:
        return shown(column, row);
    }
  }

  function sort(found) {
    if (state.sortBy < 0) {
      return found;
    }
    const keys = new Map(found.map((row) => [row, keyOf(state.sortBy, row)]));
    const sign = state.isDescending ? -1 : 1;
    return found.sort((one, other) => {
      const [a, b] = [keys.get(one), keys.get(other)];
      // What has no value comes last, whichever way it is sorted.
      if (a === null || b === null) {
        return (a === null) - (b === null);
      }
      return a < b ? -sign : a > b ? sign : one - other;
    });
  }

  function update() {
    const all = Array.from({ length: rowCount }, (_, row) => row);
    rows = sort(search(all.filter(isChosen)));
    state.page = 0;
    draw();
  }

  // ---- Rows

  function list(name, places) {
    return make(name, {}, ...places.map((place) => make("li", {}, texts[place])));
  }

  function lineOfDiff(place) {
    const line = texts[place];
    const kind = line.startsWith("+") ? "added" : line.startsWith("-") ? "removed" : "same";
    return make("span", { class: kind }, `${line}\n`);
  }

  function step([sentence, lines]) {
    const item = make("li", {}, texts[sentence]);
    if (lines.length > 0) {
      item.append(make("pre", {}, lines.map((line) => texts[line]).join("\n")));
    }
    return item;
  }

  function link([words, address]) {
    const target = texts[address];
    // The page is made with addresses of AWS alone. Another kind would be a fault, and stays text.
    const isPage = target.startsWith("https://");
    return make("li", {}, isPage ? make("a", { href: target, rel: "noreferrer" }, texts[words]) : target);
  }

  function pair([name, value]) {
    return make("div", {}, make("dt", {}, texts[name]), make("dd", {}, texts[value]));
  }

  function content(kind, places) {
    switch (kind) {
      case "text":
        return places.map((place) => make("p", {}, texts[place]));
      case "list":
        return [list("ul", places)];
      case "pairs":
        return [make("dl", {}, ...places.map(pair))];
      case "steps":
        return [make("ol", {}, ...places.map(step))];
      case "diff":
        return [make("pre", { class: "diff" }, ...places.map(lineOfDiff))];
      case "links":
        return [make("ul", {}, ...places.map(link))];
      default:
        return [];
    }
  }

  function opened(row) {
    const cell = make("td", { role: "cell", colspan: shownColumns.length });
    if (sections[row] === null) {
      cell.append(make("p", {}, "Its evidence and steps have no room in this page. Look at fewer accounts or Regions to see them."));
    }
    for (const [heading, kind, places] of sections[row] ?? []) {
      cell.append(make("h3", {}, texts[heading]), ...content(kind, places));
    }
    return make("tr", { role: "row", class: "opened", id: `opened-${row}` }, cell);
  }

  function setOpen(button, isOpen) {
    const line = button.closest("tr");
    if ((button.getAttribute("aria-expanded") === "true") === isOpen) {
      return;
    }
    button.setAttribute("aria-expanded", isOpen);
    if (isOpen) {
      line.after(opened(Number(button.dataset.row)));
    } else {
      line.nextElementSibling.remove();
    }
  }

  function line(row) {
    const line = make("tr", { role: "row" });
    shownColumns.forEach((column, at) => {
      const text = shown(column, row);
      const attributes = { class: text.length <= SHORT ? "short" : "", "data-name": columns[column].name };
      if (at > 0) {
        line.append(make("td", { role: "cell", ...attributes }, text));
        return;
      }
      // Many rows begin alike: the button's name also tells the second column.
      const words = `${text}, ${shown(shownColumns[1], row)}`;
      const button = make("button", { type: "button", class: "open", "aria-expanded": "false", "aria-label": words, "data-row": row }, text);
      line.append(make("th", { scope: "row", role: "rowheader", ...attributes }, button));
    });
    return line;
  }

  function draw() {
    const first = state.page * PAGE_LENGTH;
    const page = rows.slice(first, first + PAGE_LENGTH);
    body.replaceChildren(...page.map(line));
    const shownRange = page.length === 1 ? `${first + 1} is shown` : `${first + 1} to ${first + page.length} are shown`;
    const range = rows.length > 1 ? `: ${shownRange}` : "";
    const of = rows.length === rowCount ? "" : ` of ${rowCount}`;
    count.textContent = `${rows.length}${of} ${rowCount === 1 ? rowIs : rowsAre}${range}`;
    pages.hidden = rows.length <= PAGE_LENGTH;
    previous.disabled = state.page === 0;
    next.disabled = first + PAGE_LENGTH >= rows.length;
    for (const [at, column] of shownColumns.entries()) {
      const heading = table.tHead.rows[0].cells[at];
      const way = state.isDescending ? "descending" : "ascending";
      heading.setAttribute("aria-sort", state.sortBy === column ? way : "none");
    }
    sortBy.value = state.sortBy;
    way.textContent = state.isDescending ? "Descending" : "Ascending";
    way.disabled = state.sortBy < 0;
  }

  function turn(by) {
    state.page += by;
    draw();
    // A button that is off would lose the focus to the top of the page.
    const heading = document.getElementById("rows");
    heading.scrollIntoView();
    heading.focus({ preventScroll: true });
  }

  // ---- Tools

  const tools = document.getElementById("tools");
  const selects = new Map();

  function labelled(words, element) {
    element.id = `tool-${tools.children.length}`;
    tools.append(make("div", {}, make("label", { for: element.id }, words), element));
    return element;
  }

  // The values of a column that most rows have.
  function choices(column) {
    const counts = new Map();
    for (let row = 0; row < rowCount; row += 1) {
      for (const place of textsOf(column, row)) {
        counts.set(place, (counts.get(place) ?? 0) + 1);
      }
    }
    const often = [...counts].sort(([, one], [, other]) => other - one).slice(0, MOST_CHOICES);
    const byName = ([one], [other]) => (texts[one] < texts[other] ? -1 : 1);
    return { often: often.sort(byName), isCut: counts.size > often.length };
  }

  function option(place, number) {
    return make("option", { value: place }, number === undefined ? texts[place] : `${texts[place]} (${number})`);
  }

  function choose(column, place) {
    if (place === undefined) {
      state.chosen.delete(column);
    } else {
      state.chosen.set(column, place);
    }
    const select = selects.get(column);
    if (place !== undefined && ![...select.options].some((one) => one.value === String(place))) {
      select.append(option(place));
    }
    select.value = place ?? "";
    update();
  }

  const searchBox = labelled("Search", make("input", { type: "search", autocomplete: "off", spellcheck: "false" }));
  let waiting;
  searchBox.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      state.words = searchBox.value.toLowerCase().split(/\s+/).filter(Boolean);
      update();
    }, PAUSE);
  });

  columns.forEach((column, at) => {
    if (!column.filter) {
      return;
    }
    const { often, isCut } = choices(at);
    const all = make("option", { value: "" }, isCut ? `All; the ${MOST_CHOICES} most frequent:` : "All");
    const select = make("select", {}, all, ...often.map(([place, number]) => option(place, number)));
    selects.set(at, labelled(column.name, select));
    select.addEventListener("change", () => choose(at, select.value === "" ? undefined : Number(select.value)));
  });

  function sortWith(column, isDescending) {
    state.sortBy = column;
    state.isDescending = isDescending;
    update();
  }

  // What is large is looked for first, what is named in the order of its letters.
  const beginsLarge = (column) => column >= 0 && ["number", "measure"].includes(columns[column].kind);
  const sortBy = labelled(
    "Sort by",
    make(
      "select",
      {},
      make("option", { value: -1 }, "Importance"),
      ...shownColumns.map((column) => make("option", { value: column }, columns[column].name)),
    ),
  );
  sortBy.addEventListener("change", () => sortWith(Number(sortBy.value), beginsLarge(Number(sortBy.value))));
  const way = make("button", { type: "button" });
  way.addEventListener("click", () => sortWith(state.sortBy, !state.isDescending));
  const clear = make("button", { type: "button" }, "Show all again");
  clear.addEventListener("click", () => {
    searchBox.value = "";
    state.words = [];
    state.chosen.clear();
    for (const select of selects.values()) {
      select.value = "";
    }
    sortWith(-1, false);
  });
  tools.append(way, clear);

  // Where rows are cards their headings are for screen readers alone: the focus shall not go where nobody sees it.
  const cards = matchMedia("(max-width: 70rem)");
  for (const [at, column] of shownColumns.entries()) {
    const heading = table.tHead.rows[0].cells[at];
    const button = make("button", { type: "button" }, ...heading.childNodes);
    heading.append(button);
    const letReach = () => {
      button.tabIndex = cards.matches ? -1 : 0;
    };
    letReach();
    cards.addEventListener("change", letReach);
    button.addEventListener("click", () => {
      const isDescending = state.sortBy === column ? !state.isDescending : beginsLarge(column);
      sortWith(column, isDescending);
    });
  }

  const previous = make("button", { type: "button" }, "Previous");
  previous.addEventListener("click", () => turn(-1));
  const next = make("button", { type: "button" }, "Next");
  next.addEventListener("click", () => turn(1));
  pages.append(previous, next);

  // ---- Names in plots choose rows

  for (const plot of document.querySelectorAll("[data-column]")) {
    const column = columns.findIndex((one) => one.name === plot.dataset.column);
    for (const name of plot.querySelectorAll("tbody th:not(.rest)")) {
      const place = texts.indexOf(name.textContent);
      if (column < 0 || place < 0) {
        continue;
      }
      const button = make("button", { type: "button", class: "choose" }, ...name.childNodes);
      button.addEventListener("click", () => {
        choose(column, place);
        const heading = document.getElementById("rows");
        heading.scrollIntoView();
        heading.focus({ preventScroll: true });
      });
      name.append(button);
    }
  }

  // ---- Opening and closing

  body.addEventListener("click", (event) => {
    const button = event.target.closest("button.open");
    if (button) {
      setOpen(button, button.getAttribute("aria-expanded") !== "true");
    }
  });

  // Escape closes what the focus is in or on, and leaves the focus on its button.
  body.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") {
      return;
    }
    const line = event.target.closest("tr");
    const opener = line.classList.contains("opened") ? line.previousElementSibling : line;
    const button = opener.querySelector("button.open");
    setOpen(button, false);
    button.focus();
  });

  tools.hidden = false;
  update();
})();
