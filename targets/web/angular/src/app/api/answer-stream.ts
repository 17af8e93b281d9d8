import { HttpXsrfTokenExtractor } from '@angular/common/http';
import { Injectable, inject } from '@angular/core';

import { conversationUrl } from './chat-api';
import { Problem } from './problem';
import { SessionEnd } from './session-end';
import { EventStreamParser, ServerSentEvent } from './sse';
import { Conversation, DoneEvent, Message, MessageEvent, TokenEvent } from './schema';

export type AnswerEvent =
  | { type: 'message'; message: Message; conversation: Conversation }
  | { type: 'token'; text: string }
  | { type: 'done'; message: Message };

/** A connection that brings nothing for this long is taken for lost; the server itself gives up on the model after 60 s. */
const SILENCE_LIMIT_MS = 75_000;

/** Sends a message and yields its answer while it is written; a POST, so EventSource cannot be used. */
@Injectable({ providedIn: 'root' })
export class AnswerStream {
  private readonly xsrfToken = inject(HttpXsrfTokenExtractor);
  private readonly sessionEnd = inject(SessionEnd);

  /**
   * Yields the events of one answer and returns after `done`.
   *
   * Aborting `signal` ends the request and, with it, the server's own request to the model.
   * @throws Problem when the server refuses, the answer fails, or the connection ends before `done`
   */
  async *send(conversationId: string, content: string, signal: AbortSignal): AsyncGenerator<AnswerEvent> {
    const silence = new Watchdog(SILENCE_LIMIT_MS);
    try {
      const response = await fetch(`${conversationUrl(conversationId)}/messages`, {
        method: 'POST',
        credentials: 'same-origin',
        cache: 'no-store',
        headers: {
          Accept: 'text/event-stream',
          'Content-Type': 'application/json',
          'X-CSRFToken': this.xsrfToken.getToken() ?? '',
        },
        body: JSON.stringify({ content }),
        signal: AbortSignal.any([signal, silence.signal]),
      });
      if (!response.ok || !response.body) {
        throw await this.refusal(response);
      }
      yield* read(response.body, silence);
    } catch (error) {
      if (error instanceof Problem || signal.aborted) {
        throw error;
      }
      throw silence.signal.aborted ? new Problem('The answer stopped coming. Try again.') : Problem.connectionLost();
    } finally {
      silence.stop();
    }
  }

  private async refusal(response: Response): Promise<Problem> {
    const problem = await Problem.fromResponse(response);
    if (problem.status === 401) {
      this.sessionEnd.announce();
    }
    return problem;
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
      for (const event of parser.push(value)) {
        const answer = answerEvent(event);
        if (answer) {
          yield answer;
        }
        if (answer?.type === 'done') {
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
      throw Problem.fromEvent(JSON.parse(data));
    default:
      return null;
  }
}

class Watchdog {
  private readonly controller = new AbortController();
  private timer: ReturnType<typeof setTimeout> | undefined;
  readonly signal = this.controller.signal;

  constructor(private readonly limitMs: number) {
    this.restart();
  }

  restart(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.controller.abort(), this.limitMs);
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}
