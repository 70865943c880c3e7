// Re-save a workbook with ExcelJS: node resave_exceljs.js IN OUT
const { Workbook } = require("exceljs");

const [source, target] = process.argv.slice(2);

async function resave() {
  const book = new Workbook();
  await book.xlsx.readFile(source);
  await book.xlsx.writeFile(target);
}

resave().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
