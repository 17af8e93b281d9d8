import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { useLocation } from 'react-router';

import { MAX_MESSAGE_CHARS } from '../api/chat-api';
import { Icon } from '../Icon';

/** From here on the count of characters is shown. */
const NEARLY_FULL = 0.9 * MAX_MESSAGE_CHARS;

interface Props {
  initialText: string;
  answering: boolean;
  /** Called with every change, so that what is half written can be kept. */
  onType: (text: string) => void;
  /** Sends; false gives the text back. */
  onSend: (text: string) => Promise<boolean>;
  onStop: () => void;
}

export function Composer({ initialText, answering, onType, onSend, onStop }: Props) {
  const [text, setText] = useState(initialText);
  const [busy, setBusy] = useState(false);
  const box = useRef<HTMLTextAreaElement>(null);
  const { key } = useLocation();

  const focus = (): void => box.current?.focus({ preventScroll: true });
  useEffect(focus, [key]);

  // in code points, as the server counts
  const length = text.length > NEARLY_FULL ? Array.from(text).length : text.length;
  const tooLong = length > MAX_MESSAGE_CHARS;
  const sendable = !busy && !answering && !tooLong && text.trim() !== '';

  function change(value: string): void {
    setText(value);
    onType(value);
  }

  async function submit(): Promise<void> {
    if (!sendable) {
      return;
    }
    change('');
    setBusy(true);
    focus();
    if (!(await onSend(text))) {
      change(text);
    }
    setBusy(false);
  }

  function onKeyDown(event: KeyboardEvent): void {
    // an input method's Enter accepts a candidate; it does not end the message
    if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      void submit();
    }
  }

  return (
    <div className="composer">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <textarea
          ref={box}
          name="message"
          rows={1}
          dir="auto"
          aria-label="Message"
          placeholder="Message"
          autoComplete="off"
          value={text}
          onChange={({ target }) => change(target.value)}
          onKeyDown={onKeyDown}
        />
        {answering ? (
          <button
            key="stop"
            type="button"
            className="round"
            aria-label="Stop"
            title="Stop"
            onClick={() => {
              onStop();
              focus();
            }}
          >
            <Icon name="stop" />
          </button>
        ) : (
          <button key="send" type="submit" className="round" aria-label="Send" title="Send" disabled={!sendable}>
            <Icon name="send" />
          </button>
        )}
      </form>
      <p className={tooLong ? 'hint over' : 'hint'} role={tooLong ? 'alert' : undefined}>
        {length > NEARLY_FULL
          ? `${length.toLocaleString('en')} of ${MAX_MESSAGE_CHARS.toLocaleString('en')} characters${tooLong ? ': shorten the message to send it' : ''}`
          : 'Enter sends, Shift + Enter starts a new line'}
      </p>
    </div>
  );
}
