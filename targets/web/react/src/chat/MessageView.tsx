import { memo, useState } from 'react';

import { Alert } from '../Alert';
import { useMayModerate } from '../auth/auth';
import { Icon } from '../Icon';
import { AnswerActions } from './AnswerActions';
import { type Entry, isFinal } from './entry';
import { Markdown } from './Markdown';
import type { Thread } from './thread';

/** Longer questions are folded, so that a pasted document does not bury the conversation. */
const FOLD_CHARS = 2_000;

/** One question or answer; while an answer grows, the others are not rendered again. */
export const MessageView = memo(function MessageView({ entry, thread }: { entry: Entry; thread: Thread }) {
  const { role, message } = entry;
  return (
    <article
      className={`message ${role}${message?.hidden ? ' hidden-answer' : ''}`}
      aria-label={role === 'user' ? 'You' : 'Assistant'}
      aria-busy={!isFinal(entry)}
    >
      {role === 'user' ? <Question text={entry.text} /> : <Answer entry={entry} thread={thread} />}
    </article>
  );
});

/** What a user wrote is shown as it was written. */
function Question({ text }: { text: string }) {
  const [expanded, setExpanded] = useState(false);
  const long = text.length > FOLD_CHARS;
  // without half a character at the cut
  const beginning = `${text.slice(0, FOLD_CHARS).replace(/[\uD800-\uDBFF]$/, '')}…`;

  return (
    <>
      <div className="bubble">
        <p className="plain" dir="auto">
          {long && !expanded ? beginning : text}
        </p>
      </div>
      {long && (
        <button
          type="button"
          className="button quiet"
          aria-expanded={expanded}
          onClick={() => setExpanded((before) => !before)}
        >
          {expanded ? 'Show less' : `Show all ${Array.from(text).length.toLocaleString('en')} characters`}
        </button>
      )}
    </>
  );
}

function Answer({ entry, thread }: { entry: Entry; thread: Thread }) {
  const { text, state, message, problem } = entry;
  const mayModerate = useMayModerate();

  return (
    <>
      <span className="mark" aria-hidden="true">
        <Icon name="spark" />
      </span>
      <div className="answer">
        {message?.hidden && (
          <p className="notice">
            {mayModerate
              ? 'Hidden: only moderators and admins can read this answer.'
              : 'This answer was hidden by a moderator.'}
          </p>
        )}
        {state === 'waiting' && (
          <p className="typing" role="img" aria-label="Waiting for the answer">
            <i />
            <i />
            <i />
          </p>
        )}
        <Markdown text={text} />
        {state === 'stopped' && <p className="hint">Stopped</p>}
        {problem && <Alert problem={problem} onRetry={() => thread.retry(entry)} />}
        {message && <AnswerActions message={message} thread={thread} />}
      </div>
    </>
  );
}
