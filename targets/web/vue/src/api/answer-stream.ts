import { client } from './client';
import { EventStreamParser, type ServerSentEvent } from './event-stream';
import { Problem } from './problem';
import type { Conversation, DoneEvent, Message, MessageEvent, TokenEvent } from './schema';

export type AnswerEvent =
  | { type: 'message'; message: Message; conversation: Conversation }
  | { type: 'token'; text: string }
  | { type: 'done'; message: Message };

/** A connection that brings nothing for this long is taken for lost; the server gives up on the model after 60 s. */
const SILENCE_LIMIT_MS = 75_000;

/**
 * Sends a message and yields the events of its answer, `done` being the last; a POST, so EventSource cannot be used.
 *
 * Aborting `signal` ends the request and, with it, the server's own request to the model.
 * @throws Problem when the server refuses, the answer fails, or the connection ends before `done`
 */
export async function* streamAnswer(id: string, content: string, signal: AbortSignal): AsyncGenerator<AnswerEvent> {
  const silence = new Watchdog(SILENCE_LIMIT_MS);
  try {
    const { data } = await client.POST('/api/conversations/{id}/messages', {
      params: { path: { id } },
      body: { content },
      headers: { Accept: 'text/event-stream' },
      parseAs: 'stream',
      signal: AbortSignal.any([signal, silence.signal]),
    });
    if (!data) {
      throw Problem.connectionLost();
    }
    yield* read(data, silence);
  } catch (error) {
    if (error instanceof Problem || signal.aborted) {
      throw error;
    }
    throw silence.signal.aborted ? new Problem('The answer stopped coming. Try again.') : Problem.connectionLost();
  } finally {
    silence.stop();
  }
}

async function* read(body: ReadableStream<Uint8Array<ArrayBuffer>>, silence: Watchdog): AsyncGenerator<AnswerEvent> {
  const parser = new EventStreamParser();
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        throw Problem.connectionLost();
      }
      silence.restart();
      for (const received of parser.push(value)) {
        const event = answerEvent(received);
        if (event) {
          yield event;
        }
        if (event?.type === 'done') {
          return;
        }
      }
    }
  } finally {
    // also reached when the consumer stops early: the connection must not linger
    reader.cancel().catch(() => undefined);
  }
}

function answerEvent({ event, data }: ServerSentEvent): AnswerEvent | null {
  switch (event) {
    case 'message': {
      const { message, conversation } = JSON.parse(data) as MessageEvent;
      return { type: 'message', message, conversation };
    }
    case 'token':
      return { type: 'token', text: (JSON.parse(data) as TokenEvent).text };
    case 'done':
      return { type: 'done', message: (JSON.parse(data) as DoneEvent).message };
    case 'error':
      throw Problem.ofEvent(data);
    default:
      return null;
  }
}

class Watchdog {
  private readonly controller = new AbortController();
  private readonly limitMs: number;
  private timer: ReturnType<typeof setTimeout> | undefined;
  readonly signal = this.controller.signal;

  constructor(limitMs: number) {
    this.limitMs = limitMs;
    this.restart();
  }

  restart(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.controller.abort();
    }, this.limitMs);
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}
