import { client, dataOf } from './client';
import { EventStream, type ServerSentEvent } from './event-stream';
import { connectionLost, Problem, streamedProblem } from './problem';
import type { Conversation, DoneEvent, Message, MessageEvent, TokenEvent } from './schema';

export type AnswerEvent =
  | { type: 'message'; message: Message; conversation: Conversation }
  | { type: 'token'; text: string }
  | { type: 'done'; message: Message };

/** A connection that brings nothing for this long is taken for lost; the server itself gives up on the model after 60 s. */
const SILENCE_LIMIT_MS = 75_000;

/**
 * Sends a message and yields its answer while it is written; returns after `done`.
 *
 * Aborting `signal` ends the request and, with it, the server's own request to the model.
 * @throws Problem when the server refuses, the answer fails, or the connection ends before `done`
 */
export async function* streamAnswer(
  conversationId: string,
  content: string,
  signal: AbortSignal,
): AsyncGenerator<AnswerEvent> {
  const silence = new AbortController();
  let timer = 0;
  const heard = (): void => {
    clearTimeout(timer);
    timer = window.setTimeout(() => silence.abort(), SILENCE_LIMIT_MS);
  };
  heard();
  try {
    const body = await dataOf(
      client.POST('/api/conversations/{id}/messages', {
        params: { path: { id: conversationId } },
        body: { content },
        headers: { Accept: 'text/event-stream' },
        parseAs: 'stream',
        signal: AbortSignal.any([signal, silence.signal]),
      }),
    );
    if (body) {
      yield* answerEvents(body, heard);
    } else {
      throw connectionLost();
    }
  } catch (error) {
    if (error instanceof Problem || signal.aborted) {
      throw error;
    }
    throw silence.signal.aborted ? new Problem('The answer stopped coming. Try again.') : connectionLost();
  } finally {
    clearTimeout(timer);
  }
}

async function* answerEvents(body: ReadableStream<Uint8Array<ArrayBuffer>>, heard: () => void) {
  const listened = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(piece, controller) {
      heard();
      controller.enqueue(piece);
    },
  });
  const reader = body
    .pipeThrough(listened)
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventStream())
    .getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        throw connectionLost();
      }
      const event = answerEvent(value);
      if (event) {
        yield event;
      }
      if (event?.type === 'done') {
        return;
      }
    }
  } finally {
    // also reached when the listener leaves early: the connection must not linger
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
      throw streamedProblem(JSON.parse(data));
    default:
      return null;
  }
}
