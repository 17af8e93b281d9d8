// A chatbot on Node's own http module, without packages. The page keeps the conversation and sends it along.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const { PORT, OPENAI_BASE_URL, OPENAI_API_KEY, OPENAI_MODEL } = process.env;
const page = readFileSync(new URL('index.html', import.meta.url));

/** Yield the pieces of the model's answer; throws where it does not come whole. */
async function* saidByTheModel(messages, signal) {
  const response = await fetch(`${OPENAI_BASE_URL}/chat/completions`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${OPENAI_API_KEY}` },
    body: JSON.stringify({ model: OPENAI_MODEL, messages, stream: true }),
    signal,
  });
  if (!response.ok) throw new Error(`the model answered ${response.status}`);
  let kept = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (kept + chunk).split('\n');
    kept = lines.pop();
    for (const line of lines.filter((one) => one.startsWith('data:'))) {
      const data = line.slice('data:'.length).trim();
      if (data === '[DONE]') return;
      const text = JSON.parse(data).choices?.[0]?.delta?.content;
      if (text) yield text;
    }
  }
  throw new Error('the model broke off');
}

async function body(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString());
}

/** Stream an answer as lines of JSON: {"text"} …, then {"done"} or {"error"}. */
async function chat(request, response) {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const { messages } = await body(request);
  response.writeHead(200, { 'Content-Type': 'application/x-ndjson', 'Cache-Control': 'no-cache' });
  const line = (event) => response.write(`${JSON.stringify(event)}\n`);
  try {
    for await (const text of saidByTheModel(messages, gone.signal)) line({ text });
    line({ done: true });
  } catch (error) {
    if (!gone.signal.aborted) line({ error: error.message });
  }
  response.end();
}

createServer(async (request, response) => {
  try {
    if (request.method === 'POST' && request.url === '/chat') return await chat(request, response);
    if (request.url === '/') return response.setHeader('Content-Type', 'text/html; charset=utf-8').end(page);
    response.writeHead(404).end();
  } catch (error) {
    if (!response.headersSent) response.writeHead(400);
    response.end(String(error));
  }
}).listen(PORT, '127.0.0.1', () => console.log(`listening on 127.0.0.1:${PORT}`));
