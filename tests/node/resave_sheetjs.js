// Re-save a workbook with SheetJS: node resave_sheetjs.js IN OUT
const xlsx = require("xlsx");

const [source, target] = process.argv.slice(2);
xlsx.writeFile(xlsx.readFile(source, { cellStyles: true }), target);
