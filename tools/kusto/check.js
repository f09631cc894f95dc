// Reads {tables: {name: columns}, queries: {name: text}} from standard input; writes {name: [what Kusto's analyser says of it]}.
require("@kusto/language-service-next/bridge.min.js");
require("@kusto/language-service-next/Kusto.Language.Bridge.min.js");

const { Symbols, GlobalState, KustoCode } = Kusto.Language;
const asked = JSON.parse(require("fs").readFileSync(0, "utf8"));
const tables = Object.entries(asked.tables).map(([name, columns]) => new Symbols.TableSymbol.$ctor7(name, `(${columns})`, null));
const database = new Symbols.DatabaseSymbol.$ctor3("workspace", null, tables, false);
const globals = GlobalState.Default.WithDatabase(database);
const told = {};
for (const [name, text] of Object.entries(asked.queries)) {
  const found = KustoCode.ParseAndAnalyze(text, globals).GetDiagnostics();
  told[name] = Array.from({ length: found.Count }, (_, n) => found.getItem(n).Message);
}
process.stdout.write(JSON.stringify(told));
