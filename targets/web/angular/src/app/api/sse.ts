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
  private started = false;
  private afterCarriageReturn = false;

  push(chunk: string): ServerSentEvent[] {
    const events: ServerSentEvent[] = [];
    let text = chunk;
    if (!this.started && text) {
      this.started = true;
      text = text.replace(/^\uFEFF/, '');
    }
    if (this.afterCarriageReturn && text) {
      this.afterCarriageReturn = false;
      text = text.replace(/^\n/, '');
    }
    const lines = (this.rest + text).split(/\r\n|\r|\n/);
    this.afterCarriageReturn ||= text.endsWith('\r');
    this.rest = lines.pop() ?? '';
    for (const line of lines) {
      const event = this.line(line);
      if (event) {
        events.push(event);
      }
    }
    return events;
  }

  private line(line: string): ServerSentEvent | null {
    if (line === '') {
      const event = this.data.length ? { event: this.event || 'message', data: this.data.join('\n') } : null;
      this.event = '';
      this.data = [];
      return event;
    }
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'event') {
      this.event = value;
    } else if (name === 'data') {
      this.data.push(value);
    }
    return null;
  }
}
