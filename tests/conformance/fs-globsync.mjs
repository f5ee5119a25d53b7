// The suite imports fs.globSync, which Node has from version 22. Where it is missing, a stand-in lets the
// module load; the suite calls it only for its own commands on specification sources, which are not run here.
import fs from "node:fs";
import { register } from "node:module";

if (!fs.globSync) {
  const hook = `
    const SUITE = "@modelcontextprotocol/conformance";
    export async function resolve(specifier, context, next) {
      if (specifier === "fs" && context.parentURL?.includes(SUITE)) {
        return { url: "conformance:fs", format: "module", shortCircuit: true };
      }
      return next(specifier, context);
    }
    export async function load(url, context, next) {
      if (url !== "conformance:fs") return next(url, context);
      const source = 'export * from "node:fs"; export { default } from "node:fs";'
        + 'export function globSync() { throw new Error("fs.globSync needs Node 22"); }';
      return { format: "module", source, shortCircuit: true };
    }`;
  register(`data:text/javascript,${encodeURIComponent(hook)}`, import.meta.url);
}
