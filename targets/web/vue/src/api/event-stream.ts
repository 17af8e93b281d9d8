export interface ServerSentEvent {
  event: string;
  data: string;
}

/**
 * Splits a text/event-stream into events, whatever the sizes of the pieces it arrives in.
 *
 * Follows the WHATWG parsing rules: CR, LF or CRLF end a line, comments and unknown fields are skipped, an event
 * without data is dropped, and one that the stream's end cuts off is never delivered.
 */
export class EventStreamParser {
  private rest = '';
  private event = '';
  private data: string[] = [];
  private atStart = true;
  private afterCarriageReturn = false;

  push(piece: string): ServerSentEvent[] {
    if (piece === '') {
      return [];
    }
    let text = this.atStart ? piece.replace(/^\uFEFF/, '') : piece;
    this.atStart = false;
    if (this.afterCarriageReturn) {
      text = text.replace(/^\n/, ''); // the other half of a CRLF that the pieces cut in two
    }
    this.afterCarriageReturn = piece.endsWith('\r');
    const lines = (this.rest + text).split(/\r\n|\r|\n/);
    this.rest = lines.pop() ?? '';
    return lines.map((line) => this.line(line)).filter((event) => event !== null);
  }

  private line(line: string): ServerSentEvent | null {
    if (line === '') {
      return this.dispatch();
    }
    const [, name, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (name === 'event') {
      this.event = value;
    } else if (name === 'data') {
      this.data.push(value);
    }
    return null;
  }

  private dispatch(): ServerSentEvent | null {
    const event = this.data.length ? { event: this.event || 'message', data: this.data.join('\n') } : null;
    this.event = '';
    this.data = [];
    return event;
  }
}
