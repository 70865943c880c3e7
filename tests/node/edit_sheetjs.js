// Apply sequences of edits with SheetJS: node edit_sheetjs.js JOBS.json
// JOBS: a list of {source, target, edits, other}; prints for each job a list of the edits that could not be made.
// SheetJS has no rows to insert and no blocks to move: its users move the cells themselves, as here.
const fs = require("fs");
const xlsx = require("xlsx");

const { decode_cell: place, encode_cell: address, decode_range: span, encode_range } = xlsx.utils;

function* cells(text) {
  const { s, e } = span(text);
  for (let r = s.r; r <= e.r; r++) for (let c = s.c; c <= e.c; c++) yield { r, c };
}
function grown(sheet, { r, c }) {
  const range = span(sheet["!ref"] || "A1");
  sheet["!ref"] = encode_range({ s: { r: Math.min(range.s.r, r), c: Math.min(range.s.c, c) },
    e: { r: Math.max(range.e.r, r), c: Math.max(range.e.c, c) } });
}
function put(sheet, at, cell) {
  if (at.r < 0 || at.c < 0) return;
  if (cell === undefined) delete sheet[address(at)];
  else {
    sheet[address(at)] = cell;
    grown(sheet, at);
  }
}

// Move every cell and merge of a sheet; `to` gives the new row or column, -1 for one that is deleted.
function shifted(sheet, axis, to) {
  const kept = Object.keys(sheet).filter((key) => key[0] !== "!").map((key) => [place(key), sheet[key]]);
  for (const [at] of kept) delete sheet[address(at)];
  for (const [at, cell] of kept) put(sheet, { ...at, [axis]: to(at[axis]) }, cell);
  sheet["!merges"] = (sheet["!merges"] || []).map(({ s, e }) => {
    const first = to(s[axis]), last = to(e[axis]);
    return first < 0 || last < 0 ? null : { s: { ...s, [axis]: first }, e: { ...e, [axis]: last } };
  }).filter(Boolean);
}
const inserted = ({ at, count }) => (n) => (n >= at - 1 ? n + count : n);
const deleted = ({ at, count }) => (n) => (n < at - 1 ? n : n < at - 1 + count ? -1 : n - count);

const sheets = {
  copy_sheet(book, name, edit) {
    xlsx.utils.book_append_sheet(book, JSON.parse(JSON.stringify(book.Sheets[name])), edit.name);
  },
  rename(book, name, edit) {
    book.SheetNames[book.SheetNames.indexOf(name)] = edit.name;
    book.Sheets[edit.name] = book.Sheets[name];
    delete book.Sheets[name];
  },
  reorder(book, name, edit) {
    book.SheetNames.splice(edit.to, 0, ...book.SheetNames.splice(book.SheetNames.indexOf(name), 1));
  },
  hide_sheet(book, name) { book.Workbook.Sheets[book.SheetNames.indexOf(name)].Hidden = 1; },
  delete_sheet(book, name) {
    const at = book.SheetNames.indexOf(name);
    book.SheetNames.splice(at, 1);
    book.Workbook?.Sheets?.splice(at, 1);
    delete book.Sheets[name];
  },
};

const edits = {
  type(sheet, edit) {
    const made = { text: { t: "s", v: edit.value }, formula: { t: "n", f: edit.value } }[edit.kind];
    put(sheet, place(edit.cell), made || { t: "n", v: edit.value, ...(edit.format ? { z: edit.format } : {}) });
  },
  append(sheet, edit) {
    put(sheet, place(edit.cell), { t: "s", v: `${sheet[edit.cell]?.v ?? ""}${edit.value}` });
  },
  comment(sheet, edit) {
    const cell = sheet[edit.cell] || { t: "z" };
    cell.c = [{ a: "审核人", t: edit.text }];
    put(sheet, place(edit.cell), cell);
  },
  clear(sheet, edit) { for (const at of cells(edit.range)) put(sheet, at, undefined); },
  sort(sheet, edit) {
    const { s, e } = span(edit.range);
    const rows = [];
    for (let r = s.r; r <= e.r; r++) {
      rows.push([]);
      for (let c = s.c; c <= e.c; c++) rows.at(-1).push(sheet[address({ r, c })]);
    }
    const by = edit.by - 1 - s.c;
    const filled = rows.filter((row) => row[by] !== undefined && row[by].v !== undefined);
    filled.sort((a, b) => String(a[by].v).localeCompare(String(b[by].v), "zh"));
    if (edit.descending) filled.reverse();
    const ordered = [...filled, ...rows.filter((row) => row[by] === undefined || row[by].v === undefined)];
    ordered.forEach((row, r) => row.forEach((cell, c) => put(sheet, { r: s.r + r, c: s.c + c }, cell)));
  },
  move(sheet, edit) { moved(sheet, edit, true); },
  copy(sheet, edit) { moved(sheet, edit, false); },
  merge(sheet, edit) { (sheet["!merges"] ||= []).push(span(edit.range)); },
  unmerge(sheet, edit) {
    const { s, e } = span(edit.range);
    sheet["!merges"] = (sheet["!merges"] || []).filter(
      (m) => m.s.r > e.r || m.e.r < s.r || m.s.c > e.c || m.e.c < s.c);
  },
  insert_rows(sheet, edit) { shifted(sheet, "r", inserted(edit)); },
  delete_rows(sheet, edit) { shifted(sheet, "r", deleted(edit)); },
  insert_columns(sheet, edit) { shifted(sheet, "c", inserted(edit)); },
  delete_columns(sheet, edit) { shifted(sheet, "c", deleted(edit)); },
  hide_rows(sheet, edit) {
    sheet["!rows"] ||= [];
    for (let n = 0; n < edit.count; n++) sheet["!rows"][edit.at - 1 + n] = { hidden: true };
  },
  hide_columns(sheet, edit) { (sheet["!cols"] ||= [])[edit.at - 1] = { hidden: true }; },
};

function moved(sheet, edit, away) {
  const taken = [...cells(edit.range)].map((at) => [at, sheet[address(at)]]);
  if (away) for (const [at] of taken) put(sheet, at, undefined);
  for (const [{ r, c }, cell] of taken) put(sheet, { r: r + edit.down, c: c + edit.right }, cell);
}

const read = (path) => xlsx.readFile(path, { cellStyles: true, cellFormula: true, cellNF: true });

function apply(job) {
  let book = read(job.source);
  const failed = [];
  for (const edit of job.edits) {
    try {
      const count = book.SheetNames.length;
      const name = book.SheetNames[((edit.sheet % count) + count) % count];
      if (edit.do === "alone") {
        const alone = xlsx.utils.book_new();
        xlsx.utils.book_append_sheet(alone, book.Sheets[name], name);
        book = alone;
      } else if (edit.do === "transplant") {
        const other = read(job.other);
        xlsx.utils.book_append_sheet(other, book.Sheets[name], edit.name);
        book = other;
      } else if (edit.do in sheets) sheets[edit.do](book, name, edit);
      else edits[edit.do](book.Sheets[name], edit);
    } catch (error) {
      failed.push(`${edit.do}: ${error.message}`);
    }
  }
  // Texts in the cells, or in the table of shared strings: both are met.
  xlsx.writeFile(book, job.target, { bookSST: job.edits.length % 2 === 0 });
  return failed;
}

console.log(JSON.stringify(JSON.parse(fs.readFileSync(process.argv[2], "utf8")).map(apply)));
