import { describe, expect, it } from 'vitest';

import { EventStreamParser, type ServerSentEvent } from './event-stream';

function parse(...pieces: string[]): ServerSentEvent[] {
  const parser = new EventStreamParser();
  return pieces.flatMap((piece) => parser.push(piece));
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

  it('gives the same events wherever the stream is cut in three', () => {
    for (let first = 0; first <= STREAM.length; first++) {
      for (let second = first; second <= STREAM.length; second++) {
        expect(parse(STREAM.slice(0, first), STREAM.slice(first, second), STREAM.slice(second))).toEqual(EVENTS);
      }
    }
  });

  it('gives the same events character by character', () => {
    expect(parse(...STREAM.split(''))).toEqual(EVENTS);
  });

  it('delivers an event as soon as its last line end is there', () => {
    expect(parse('data: x\r\r')).toEqual([{ event: 'message', data: 'x' }]);
  });

  it('skips a byte order mark at the start and nowhere else', () => {
    expect(parse('\uFEFFdata: x\n\n', '\uFEFFdata: y\n\n')).toEqual([{ event: 'message', data: 'x' }]);
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
    expect(parse('event: done\ndata: {}\n')).toEqual([]);
  });

  it('keeps any text whole', () => {
    const text = JSON.stringify({ text: '👩‍👩‍👧 שלום data: event: \u2028' });
    expect(parse(`event: token\ndata: ${text}\n\n`)).toEqual([{ event: 'token', data: text }]);
  });
});
