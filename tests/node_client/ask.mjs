// OpenAI's client for Node against a studio: node ask.mjs <task> <model> [...]; prints one line of JSON. Address and key
// come as the client itself reads them: OPENAI_BASE_URL and OPENAI_API_KEY.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const OpenAI = createRequire(process.env.NODE_CLIENT + "/package.json")("openai").default;
const client = new OpenAI({ maxRetries: 0 });
const [task, model, file] = process.argv.slice(2);
const messages = [{ role: "user", content: "Hello there" }];

const tasks = {
  async whole() {
    const answer = await client.chat.completions.create({ model, messages, max_tokens: 6 });
    return { text: answer.choices[0].message.content, usage: answer.usage, id: answer._request_id };
  },
  async streamed() {
    const options = { stream: true, stream_options: { include_usage: true } };
    let text = "", usage = null;
    for await (const chunk of await client.chat.completions.create({ model, messages, max_tokens: 6, ...options })) {
      text += chunk.choices[0]?.delta?.content ?? "";
      usage = chunk.usage ?? usage;
    }
    return { text, usage };
  },
  async tools() {
    const { question, tools } = JSON.parse(readFileSync(file, "utf-8"));
    const run = client.chat.completions.stream({ model, messages: question, tools, temperature: 0 });
    const choice = (await run.finalChatCompletion()).choices[0];
    return { text: choice.message.content, call: choice.message.tool_calls[0].function, reason: choice.finish_reason };
  },
  async vectors() {
    const answer = await client.embeddings.create({ model, input: ["one", "three"] });
    return { sizes: answer.data.map((each) => each.embedding.length), usage: answer.usage };
  },
  async files() {
    const content = new File(['{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n'], "rows.jsonl");
    const made = await client.files.create({ file: content, purpose: "fine-tune" });
    const listed = [];
    for await (const each of client.files.list()) listed.push(each.id);
    const text = await (await client.files.content(made.id)).text();
    return { made: made.id, listed, text, deleted: (await client.files.delete(made.id)).deleted };
  },
  async refused() {
    try {
      await client.chat.completions.create({ model, messages, temperature: 9 });
    } catch (error) {
      return { name: error.constructor.name, status: error.status, param: error.param, requestID: error.requestID };
    }
  },
  async models() {
    const names = [];
    for await (const each of client.models.list()) names.push(each.id);
    return { names };
  },
};

console.log(JSON.stringify(await tasks[task]()));
