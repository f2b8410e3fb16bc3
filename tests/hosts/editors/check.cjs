// Checks a schema, a document against a schema, or SARIF logs, with the packages of package.json (found through NODE_PATH).
//
//   node check.cjs schema SCHEMA [KEYWORD...]   loads a schema in ajv's own strict mode; prints every warning
//   node check.cjs document SCHEMA FILE         prints what a JSON document breaks, one problem per line
//   node check.cjs sarif FILE...                checks against the schema of SARIF 2.1.0
const { readFileSync } = require("node:fs");
const path = require("node:path");
const read = (file) => JSON.parse(readFileSync(file, "utf8"));
const problems = [];
const logger = Object.fromEntries(["log", "warn", "error"].map((name) => [name, (text) => problems.push(text)]));
const [what, ...files] = process.argv.slice(2);

function report(validate, title) {
  const errors = (validate.errors ?? []).filter((one) => one.keyword !== "if"); // says only that something below failed
  for (const error of errors) problems.push(`${title}${error.instancePath}: ${error.message}`);
}

if (what === "schema") {
  const Ajv = require("ajv");
  const ajv = new Ajv({ logger });
  if (files.length > 1) ajv.addVocabulary(files.slice(1));
  ajv.compile(read(files[0]));
} else if (what === "document") {
  const Ajv = require("ajv");
  const validate = new Ajv({ logger, strict: false, allErrors: true }).compile(read(files[0]));
  validate(read(files[1]));
  report(validate, "");
} else {
  const Ajv = require("ajv-draft-04");
  const ajv = new Ajv({ logger, strict: false, allErrors: true, unicodeRegExp: false });
  require("ajv-formats")(ajv);
  const schema = path.join(path.dirname(require.resolve("@microsoft/jest-sarif")), "schemas/sarif-2.1.0-rtm.5.json");
  const validate = ajv.compile(read(schema));
  for (const file of files) if (!validate(read(file))) report(validate, file);
}
process.stdout.write(problems.map((one) => `${one}\n`).join(""));
process.exitCode = problems.length ? 1 : 0;
