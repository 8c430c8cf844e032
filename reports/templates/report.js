// The explorer of examples: filters, pages, and opens rows. Every text from the data enters the page
// as textContent; nothing is ever parsed as HTML.
"use strict";
(() => {
  const source = document.getElementById("explorer-data");
  const table = document.getElementById("explorer-table");
  if (!source || !table) return;
  const { arms, labels, rows } = JSON.parse(source.textContent);
  const PAGE = 25;
  const SIGNS = { right: "✓", partly: "◐", wrong: "✗", error: "!" };
  const WORDS = { right: "right", partly: "partly right", wrong: "wrong", error: "error" };
  const [ID, INPUT, TARGETS, DOCUMENT, CELLS] = [0, 1, 2, 3, 4];
  const [SCORE, EXTRACTED, RAW, ERROR, MS, PROMPT_TOKENS, ANSWER_TOKENS, RETRIEVED, PROMPT] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
  const byId = (id) => document.getElementById(id);
  const search = byId("explorer-search");
  const show = byId("explorer-show");
  const arm = byId("explorer-arm");
  const state = byId("explorer-state");
  const label = byId("explorer-label");
  const sort = byId("explorer-sort");
  const body = table.tBodies[0];
  let found = rows;
  let page = 0;

  const element = (tag, className, text) => {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const isolated = (tag, className, text) => {
    const node = element(tag, className, text);
    node.dir = "auto";
    return node;
  };
  const given = (value) => value !== undefined && value !== null;
  const plainNumber = (value) => value.toLocaleString("en-US").replace("-", "−");

  const stateOf = (cell) => {
    if (!cell) return "none";
    if (!given(cell[SCORE])) return "error";
    return cell[SCORE] >= 1 ? "right" : cell[SCORE] <= 0 ? "wrong" : "partly";
  };
  const answerOf = (cell) => {
    if (!given(cell[SCORE])) return cell[ERROR] ?? "";
    return cell[EXTRACTED] ?? cell[RAW] ?? "";
  };
  const rightArms = (row, trained) => row[CELLS].some((cell, i) => arms[i].trained === trained && stateOf(cell) === "right");
  const scores = (row) => row[CELLS].filter((cell) => cell && given(cell[SCORE])).map((cell) => cell[SCORE]);
  const SHOWN = {
    all: () => true,
    disagree: (row) => new Set(scores(row)).size > 1,
    "all-wrong": (row) => scores(row).length > 0 && scores(row).every((score) => score < 1),
    "only-trained": (row) => rightArms(row, true) && !rightArms(row, false),
    "only-untrained": (row) => rightArms(row, false) && !rightArms(row, true),
    error: (row) => row[CELLS].some((cell) => stateOf(cell) === "error"),
  };
  const mean = (row) => scores(row).reduce((sum, score) => sum + score, 0) / Math.max(1, scores(row).length);
  const slowest = (row) => Math.max(0, ...row[CELLS].map((cell) => (cell ? cell[MS] ?? 0 : 0)));
  const SORTED = {
    hardest: (a, b) => mean(a) - mean(b),
    easiest: (a, b) => mean(b) - mean(a),
    longest: (a, b) => b[INPUT].length - a[INPUT].length,
    shortest: (a, b) => a[INPUT].length - b[INPUT].length,
    slowest: (a, b) => slowest(b) - slowest(a),
  };
  const texts = new Map();
  const textOf = (row) => {
    if (!texts.has(row)) {
      const answers = row[CELLS].flatMap((cell) => (cell ? [cell[EXTRACTED], cell[RAW], cell[ERROR]] : []));
      texts.set(row, [row[ID], row[INPUT], ...row[TARGETS], ...answers.filter(given)].join("\n").toLocaleLowerCase());
    }
    return texts.get(row);
  };
  const inState = (row) => {
    if (!state.value) return true;
    const cells = arm.value === "" ? row[CELLS] : [row[CELLS][Number(arm.value)]];
    return cells.some((cell) => stateOf(cell) === state.value);
  };

  const signOf = (name) => {
    const sign = element("span", "sign", SIGNS[name]);
    sign.setAttribute("role", "img");
    sign.setAttribute("aria-label", WORDS[name]);
    return sign;
  };

  const cellNode = (cell, i) => {
    const name = stateOf(cell);
    const node = element("td", `answer ${name}`);
    node.dataset.arm = arms[i].name.length > 60 ? `${arms[i].name.slice(0, 59)}…` : arms[i].name;
    if (name === "none") node.append(element("span", "quiet", "not answered"));
    else node.append(signOf(name), " ", isolated("span", "text", answerOf(cell)));
    return node;
  };

  const block = (parent, term, text) => {
    if (!given(text)) return;
    parent.append(element("p", "term", term), isolated("p", "block", text === "" ? "(empty)" : text));
  };

  const answerNode = (row, cell, i) => {
    const node = element("div");
    const name = stateOf(cell);
    const heading = element("h3");
    if (cell) heading.append(signOf(name), " ");
    heading.append(element("bdi", "", arms[i].name));
    node.append(heading);
    if (!cell) {
      node.append(element("p", "term", "not answered"));
      return node;
    }
    block(node, "Error", cell[ERROR]);
    if (given(cell[SCORE])) block(node, "Answer as read", cell[EXTRACTED] ?? "(nothing could be read from it)");
    block(node, "Raw answer, where it differs", cell[RAW]);
    const facts = [cell[MS] == null ? "from the cache" : `${plainNumber(cell[MS])} ms in its batch`, `${plainNumber(cell[PROMPT_TOKENS] ?? 0)} + ${plainNumber(cell[ANSWER_TOKENS] ?? 0)} tokens`];
    if (name === "partly") facts.unshift(`score ${(100 * cell[SCORE]).toFixed(1)}%`);
    node.append(element("p", "term", facts.join(" · ")));
    if (cell[RETRIEVED]) {
      node.append(element("p", "term", "Retrieved, with similarity"));
      const list = element("ol");
      for (const [id, score] of cell[RETRIEVED]) {
        const item = element("li");
        item.append(element("bdi", "", id), ` ${score.toFixed(3).replace("-", "−")}`);
        list.append(item);
      }
      node.append(list);
    }
    if (given(cell[PROMPT])) {
      const details = element("details");
      const prompt = isolated("pre", "", arms[i].prefix + cell[PROMPT]);
      prompt.tabIndex = 0;
      prompt.setAttribute("aria-label", "Prompt");
      details.append(element("summary", "", "Prompt"), prompt);
      node.append(details);
    }
    return node;
  };

  const detailNode = (row) => {
    const line = element("tr", "detail");
    const cell = element("td");
    cell.colSpan = arms.length + 2;
    const inside = element("div", "detail-body");
    block(inside, "Input", row[INPUT]);
    block(inside, row[TARGETS].length > 1 ? "Accepted answers" : "Target", row[TARGETS].join("\n"));
    block(inside, "Document with the answer", row[DOCUMENT]);
    const answers = element("div", "answers");
    row[CELLS].forEach((each, i) => answers.append(answerNode(row, each, i)));
    inside.append(answers);
    cell.append(inside);
    line.append(cell);
    return line;
  };

  const rowNode = (row) => {
    const line = element("tr");
    const head = element("th", "input");
    head.scope = "row";
    const open = element("button", "open id");
    open.type = "button";
    open.setAttribute("aria-expanded", "false");
    open.append(element("bdi", "", row[ID]));
    open.addEventListener("click", () => {
      const expanded = open.getAttribute("aria-expanded") === "true";
      open.setAttribute("aria-expanded", String(!expanded));
      if (expanded) line.nextElementSibling.remove();
      else line.after(detailNode(row));
    });
    head.append(open, isolated("span", "text", row[INPUT]));
    const target = element("td", "answer");
    target.dataset.arm = "Target:";
    target.append(isolated("span", "text", row[TARGETS][0]));
    line.append(head, target, ...row[CELLS].map(cellNode));
    return line;
  };

  const draw = () => {
    const first = page * PAGE;
    body.replaceChildren(...found.slice(first, first + PAGE).map(rowNode));
    const last = Math.min(first + PAGE, found.length);
    const matching = found.length === rows.length ? "" : ` that match, of ${plainNumber(rows.length)}`;
    byId("explorer-status").textContent = found.length
      ? `Examples ${plainNumber(first + 1)}–${plainNumber(last)} of ${plainNumber(found.length)}${matching}`
      : "No example matches.";
    byId("explorer-previous").disabled = page === 0;
    byId("explorer-next").disabled = last >= found.length;
  };

  const filter = () => {
    const wanted = search.value.trim().toLocaleLowerCase();
    const labelled = (row) => !label || !label.value || row[TARGETS][0] === labels[Number(label.value)];
    const matches = (row) => SHOWN[show.value](row) && inState(row) && labelled(row);
    found = rows.filter((row) => matches(row) && (!wanted || textOf(row).includes(wanted)));
    if (sort.value) found.sort(SORTED[sort.value]);
    page = 0;
    draw();
  };
  const turn = (by) => () => {
    page += by;
    draw();
  };

  search.addEventListener("input", filter);
  for (const control of [show, arm, state, label, sort]) control?.addEventListener("change", filter);
  byId("explorer-previous").addEventListener("click", turn(-1));
  byId("explorer-next").addEventListener("click", turn(1));
  byId("explorer-controls").hidden = false;
  byId("explorer-pager").hidden = false;
  filter(); // not draw(): a browser may have kept the filters of the last visit
})();
