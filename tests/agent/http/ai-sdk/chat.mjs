// A chat as `useChat` keeps it, without React: the SDK's own chat class and transport, against the URL in the environment.
import { AbstractChat, DefaultChatTransport, lastAssistantMessageIsCompleteWithApprovalResponses } from "ai";

class State {
  messages = [];
  status = "ready";
  error = undefined;
  pushMessage = (message) => { this.messages = [...this.messages, message]; };
  popMessage = () => { this.messages = this.messages.slice(0, -1); };
  replaceMessage = (index, message) => { this.messages = this.messages.with(index, structuredClone(message)); };
  snapshot = (value) => structuredClone(value);
}

class Chat extends AbstractChat {}

const transport = new DefaultChatTransport({
  api: `${process.env.URL_OF_SERVER}/agent/chat`,
  headers: { Authorization: `Bearer ${process.env.TOKEN}` },
});
const state = new State();
const chat = new Chat({ id: "node-chat", state, transport, sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses });

const idle = async () => { while (state.status !== "ready" && state.status !== "error") await new Promise((done) => setTimeout(done, 5)); };
const parts = () => state.messages.at(-1).parts;
const texts = () => parts().filter((part) => part.type === "text").map((part) => part.text);

await chat.sendMessage({ text: "Clear the bounces." });
await idle();
const asked = parts().find((part) => part.state === "approval-requested");
await chat.addToolApprovalResponse({ id: asked.approval.id, approved: true, reason: asked.approval.descriptor.typed });
await new Promise((done) => setTimeout(done, 20));
await idle();
const resumed = await transport.reconnectToStream({ chatId: "node-chat" });
console.log(JSON.stringify({
  error: state.error?.message,
  form: asked.approval.descriptor.form,
  states: parts().filter((part) => part.type === "dynamic-tool").map((part) => part.state),
  texts: texts(),
  messages: state.messages.map((message) => message.role),
  resumed,
}));
