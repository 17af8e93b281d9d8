import { describe, expect, it } from 'vitest';

import { EventStream, type ServerSentEvent } from './event-stream';

async function parse(...pieces: (string | Uint8Array<ArrayBuffer>)[]): Promise<ServerSentEvent[]> {
  const encoder = new TextEncoder();
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      for (const piece of pieces) {
        controller.enqueue(typeof piece === 'string' ? encoder.encode(piece) : piece);
      }
      controller.close();
    },
  });
  const events: ServerSentEvent[] = [];
  for await (const event of source.pipeThrough(new TextDecoderStream()).pipeThrough(new EventStream())) {
    events.push(event);
  }
  return events;
}

const STREAM =
  ': hello\n\nevent: token\ndata: {"text":"é 👋"}\n\nevent: done\r\ndata: 1\r\ndata: 2\r\n\r\ndata:x\r\rid: 7\n\n';
const EVENTS = [
  { event: 'token', data: '{"text":"é 👋"}' },
  { event: 'done', data: '1\n2' },
  { event: 'message', data: 'x' },
];

describe('EventStream', () => {
  it('follows the standard on line ends, comments, several data lines and unknown fields', async () => {
    expect(await parse(STREAM)).toEqual(EVENTS);
  });

  it('gives the same events wherever the bytes are cut in two, inside characters and line ends too', async () => {
    const bytes = new TextEncoder().encode(STREAM);
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(await parse(bytes.slice(0, cut), bytes.slice(cut)), `cut at ${cut}`).toEqual(EVENTS);
    }
  });

  it('gives the same events byte by byte', async () => {
    const bytes = new TextEncoder().encode(STREAM);
    expect(await parse(...Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(EVENTS);
  });

  it('skips a byte order mark', async () => {
    expect(await parse('\uFEFF\uFEFFdata: x\n\n')).toEqual([{ event: 'message', data: 'x' }]);
  });

  it('removes one space after the colon and no more', async () => {
    expect(await parse('data:  two\n\n')).toEqual([{ event: 'message', data: ' two' }]);
  });

  it('delivers an empty data line and drops an event without data', async () => {
    expect(await parse('data\n\nevent: token\n\ndata: y\n\n')).toEqual([
      { event: 'message', data: '' },
      { event: 'message', data: 'y' },
    ]);
  });

  it('never delivers an event that the end cuts off', async () => {
    expect(await parse('event: done\ndata: {}')).toEqual([]);
    expect(await parse('event: done\ndata: {}\n')).toEqual([]);
  });

  it('keeps any text whole', async () => {
    const data = JSON.stringify({ text: '👩‍👩‍👧 שלום data: event: \u2028' });
    expect(await parse(`event: token\ndata: ${data}\n\n`)).toEqual([{ event: 'token', data }]);
  });
});
