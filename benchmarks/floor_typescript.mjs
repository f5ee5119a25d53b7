// The second floor: a one-tool server on the official TypeScript SDK that does one fetch (undici) GET a call.
//
//   node floor_typescript.mjs           on stdio
//   node floor_typescript.mjs http      on Streamable HTTP; says its port on stderr
//
// Written as one would write it, without tuning. MAILGUN_API_URL and MAILGUN_API_KEY as for `mailgun-mcp`.
// `benchmarks/typescript.py` copies it to where the SDK is installed.

import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { z } from "zod";

const { MAILGUN_API_URL, MAILGUN_API_KEY } = process.env;
const headers = { Authorization: `Basic ${Buffer.from(`api:${MAILGUN_API_KEY}`).toString("base64")}` };

function floor() {
  const server = new McpServer({ name: "floor", version: "1" });
  server.registerTool(
    "list_domains",
    { description: "Lists the account's domains.", inputSchema: { limit: z.number().int().optional() } },
    async (arguments_) => {
      const response = await fetch(`${MAILGUN_API_URL}/v4/domains?${new URLSearchParams(arguments_)}`, { headers });
      return { content: [{ type: "text", text: await response.text() }] };
    },
  );
  return server;
}

function serveHttp() {
  const sessions = new Map();
  const http = createServer(async (request, response) => {
    if (request.method !== "POST") return response.writeHead(405).end();
    let transport = sessions.get(request.headers["mcp-session-id"]);
    if (!transport) {
      transport = new StreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        onsessioninitialized: (id) => sessions.set(id, transport),
      });
      await floor().connect(transport);
    }
    await transport.handleRequest(request, response);
  });
  http.listen(0, "127.0.0.1", () => {
    process.stderr.write(`floor listens on http://127.0.0.1:${http.address().port}/mcp\n`);
  });
}

if (process.argv[2] === "http") serveHttp();
else await floor().connect(new StdioServerTransport());
