// Apply sequences of edits with ExcelJS: node edit_exceljs.js JOBS.json
// JOBS: a list of {source, target, edits, other}; prints for each job a list of the edits that could not be made.
const fs = require("fs");
const { Workbook } = require("exceljs");

const column = (letters) => [...letters].reduce((n, c) => n * 26 + c.charCodeAt(0) - 64, 0);
function span(text) {
  const [, a, top, b, bottom] = /^([A-Z]+)(\d+):([A-Z]+)(\d+)$/.exec(text);
  return { low: column(a), top: +top, high: column(b), bottom: +bottom };
}
function* cells(text) {
  const { low, top, high, bottom } = span(text);
  for (let r = top; r <= bottom; r++) for (let c = low; c <= high; c++) yield [r, c];
}
const keyOf = (value) => (value && value.richText ? value.richText.map((run) => run.text).join("") : String(value));

const sheets = {
  copy_sheet(book, sheet, edit) {
    const copy = book.addWorksheet(edit.name);
    copyValues(sheet, copy);
  },
  rename(book, sheet, edit) { sheet.name = edit.name; },
  reorder(book, sheet, edit) {
    const order = book.worksheets.filter((other) => other !== sheet);
    order.splice(edit.to, 0, sheet);
    order.forEach((other, n) => { other.orderNo = n + 1; });
  },
  hide_sheet(book, sheet) { sheet.state = "hidden"; },
  delete_sheet(book, sheet) {
    book.removeWorksheet(sheet.id);
    if (book.worksheets.every((other) => other.state !== "visible")) book.worksheets[0].state = "visible";
  },
};

function copyValues(from, to) {
  from.eachRow((row) => row.eachCell((cell) => {
    if (cell.master !== cell) return;
    const copied = to.getCell(cell.address);
    copied.value = cell.value;
    copied.style = cell.style;
  }));
  for (const merge of from.model.merges) to.mergeCells(merge);
  from.columns.forEach((one, n) => { if (one.hidden) to.getColumn(n + 1).hidden = true; });
}

const edits = {
  type(sheet, edit) {
    const cell = sheet.getCell(edit.cell);
    cell.value = edit.kind === "formula" ? { formula: edit.value } : edit.value;
    if (edit.format) cell.numFmt = edit.format;
  },
  append(sheet, edit) {
    const cell = sheet.getCell(edit.cell);
    cell.value = `${cell.text ?? ""}${edit.value}`;
  },
  rich(sheet, edit) {
    sheet.getCell(edit.cell).value = { richText: edit.runs.map((run) => ({
      text: run.text, font: { strike: run.strike, vertAlign: run.raised ? "superscript" : undefined } })) };
  },
  strike(sheet, edit) { sheet.getCell(edit.cell).font = { strike: true }; },
  comment(sheet, edit) { sheet.getCell(edit.cell).note = edit.text; },
  clear(sheet, edit) { for (const [r, c] of cells(edit.range)) sheet.getCell(r, c).value = null; },
  sort(sheet, edit) {
    const { low, top, high, bottom } = span(edit.range);
    const rows = [];
    for (let r = top; r <= bottom; r++) {
      rows.push([]);
      for (let c = low; c <= high; c++) rows.at(-1).push(sheet.getCell(r, c).value);
    }
    const filled = rows.filter((row) => row[edit.by - low] != null);
    filled.sort((a, b) => keyOf(a[edit.by - low]).localeCompare(keyOf(b[edit.by - low]), "zh"));
    if (edit.descending) filled.reverse();
    const ordered = [...filled, ...rows.filter((row) => row[edit.by - low] == null)];
    ordered.forEach((row, r) => row.forEach((value, c) => { sheet.getCell(top + r, low + c).value = value; }));
  },
  move(sheet, edit) {
    const taken = [...cells(edit.range)].map(([r, c]) => [r, c, sheet.getCell(r, c).value]);
    for (const [r, c] of taken) sheet.getCell(r, c).value = null;
    put(sheet, taken, edit);
  },
  copy(sheet, edit) { put(sheet, [...cells(edit.range)].map(([r, c]) => [r, c, sheet.getCell(r, c).value]), edit); },
  merge(sheet, edit) { sheet.mergeCells(edit.range); },
  unmerge(sheet, edit) { sheet.unMergeCells(edit.range); },
  insert_rows(sheet, edit) { sheet.spliceRows(edit.at, 0, ...Array(edit.count).fill([])); },
  delete_rows(sheet, edit) { sheet.spliceRows(edit.at, edit.count); },
  insert_columns(sheet, edit) { sheet.spliceColumns(edit.at, 0, ...Array(edit.count).fill([])); },
  delete_columns(sheet, edit) { sheet.spliceColumns(edit.at, edit.count); },
  hide_rows(sheet, edit) { for (let n = 0; n < edit.count; n++) sheet.getRow(edit.at + n).hidden = true; },
  hide_columns(sheet, edit) { sheet.getColumn(edit.at).hidden = true; },
};

function put(sheet, taken, edit) {
  for (const [r, c, value] of taken) {
    if (r + edit.down > 0 && c + edit.right > 0) sheet.getCell(r + edit.down, c + edit.right).value = value;
  }
}

async function apply(job) {
  let book = new Workbook();
  const failed = [];
  await book.xlsx.readFile(job.source);
  for (const edit of job.edits) {
    try {
      const all = book.worksheets;
      const sheet = all.at(((edit.sheet % all.length) + all.length) % all.length);
      if (edit.do === "alone") {
        const alone = new Workbook();
        copyValues(sheet, alone.addWorksheet(sheet.name));
        book = alone;
      } else if (edit.do === "transplant") {
        const other = new Workbook();
        await other.xlsx.readFile(job.other);
        copyValues(sheet, other.addWorksheet(edit.name));
        book = other;
      } else if (edit.do in sheets) sheets[edit.do](book, sheet, edit);
      else edits[edit.do](sheet, edit);
    } catch (error) {
      failed.push(`${edit.do}: ${error.message}`);
    }
  }
  try {
    await book.xlsx.writeFile(job.target);
  } catch (error) {
    failed.push(`save: ${error.message}`);
  }
  return failed;
}

(async () => {
  const done = [];
  for (const job of JSON.parse(fs.readFileSync(process.argv[2], "utf8"))) done.push(await apply(job));
  console.log(JSON.stringify(done));
})().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
