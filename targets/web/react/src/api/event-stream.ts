export interface ServerSentEvent {
  event: string;
  data: string;
}

/**
 * Turns text, in pieces of any size, into server-sent events.
 *
 * As WHATWG specifies it: CR, LF or CRLF ends a line, comments and unknown fields are skipped, an event without data
 * is dropped, and so is one that the stream's end cuts off.
 */
export class EventStream extends TransformStream<string, ServerSentEvent> {
  constructor() {
    const lines = new Lines();
    let event = '';
    let data: string[] = [];
    super({
      transform(piece, controller) {
        for (const line of lines.push(piece)) {
          if (line === '') {
            if (data.length) {
              controller.enqueue({ event: event || 'message', data: data.join('\n') });
            }
            event = '';
            data = [];
            continue;
          }
          const [, name, value = ''] = /^([^:]*)(?:: ?([^]*))?$/.exec(line) ?? [];
          if (name === 'event') {
            event = value;
          } else if (name === 'data') {
            data.push(value);
          }
        }
      },
    });
  }
}

/** Complete lines only; a CR at the end of a piece may be the first half of a CRLF. */
class Lines {
  private rest = '';
  private atStart = true;
  private afterReturn = false;

  push(piece: string): string[] {
    let text = piece;
    if (text && this.atStart) {
      this.atStart = false;
      text = text.replace(/^\uFEFF/, '');
    }
    if (text && this.afterReturn) {
      this.afterReturn = false;
      text = text.replace(/^\n/, '');
    }
    this.afterReturn ||= text.endsWith('\r');
    const lines = (this.rest + text).split(/\r\n|\r|\n/);
    this.rest = lines.pop() ?? '';
    return lines;
  }
}
