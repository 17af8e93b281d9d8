import { EventStreamParser, ServerSentEvent } from './sse';

function parse(...chunks: string[]): ServerSentEvent[] {
  const parser = new EventStreamParser();
  return chunks.flatMap((chunk) => parser.push(chunk));
}

const STREAM =
  ': hello\n\nevent: token\ndata: {"text":"a b"}\n\nevent: done\r\ndata: 1\r\ndata: 2\r\n\r\ndata:x\r\rid: 7\n\n';
const EVENTS = [
  { event: 'token', data: '{"text":"a b"}' },
  { event: 'done', data: '1\n2' },
  { event: 'message', data: 'x' },
];

describe('EventStreamParser', () => {
  it('follows the standard on line ends, comments, several data lines and unknown fields', () => {
    expect(parse(STREAM)).toEqual(EVENTS);
  });

  it('gives the same events wherever the stream is cut in two', () => {
    for (let cut = 0; cut <= STREAM.length; cut++) {
      expect(parse(STREAM.slice(0, cut), STREAM.slice(cut))).toEqual(EVENTS);
    }
  });

  it('gives the same events character by character', () => {
    expect(parse(...STREAM)).toEqual(EVENTS);
  });

  it('skips a byte order mark', () => {
    expect(parse('\uFEFFdata: x\n\n')).toEqual([{ event: 'message', data: 'x' }]);
  });

  it('removes one space after the colon and no more', () => {
    expect(parse('data:  two\n\n')).toEqual([{ event: 'message', data: ' two' }]);
  });

  it('delivers an empty data line and drops an event without data', () => {
    expect(parse('data\n\nevent: token\n\ndata: y\n\n')).toEqual([
      { event: 'message', data: '' },
      { event: 'message', data: 'y' },
    ]);
  });

  it('never delivers an event that the end cuts off', () => {
    expect(parse('event: done\ndata: {}')).toEqual([]);
  });

  it('keeps any text whole', () => {
    const text = JSON.stringify({ text: '👩‍👩‍👧 שלום data: event: \u2028' });
    expect(parse(`event: token\ndata: ${text}\n\n`)).toEqual([{ event: 'token', data: text }]);
  });
});
