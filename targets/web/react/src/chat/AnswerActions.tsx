import { useEffect, useState } from 'react';

import { Alert } from '../Alert';
import { hide, rate } from '../api/chat-api';
import { asProblem, Problem } from '../api/problem';
import type { Message } from '../api/schema';
import { useMayModerate } from '../auth/auth';
import { Icon, type IconName } from '../Icon';
import type { Thread } from './thread';

const COPIED_MS = 1_500;

const CHOICES = [
  { value: 'up', label: 'Good answer', icon: 'thumbsUp' },
  { value: 'down', label: 'Bad answer', icon: 'thumbsDown' },
] as const;

/** Copy, thumbs, and for moderators hiding. */
export function AnswerActions({ message, thread }: { message: Message; thread: Thread }) {
  const mayModerate = useMayModerate();
  const [problem, setProblem] = useState<Problem | null>(null);

  async function change(request: Promise<Message>): Promise<void> {
    setProblem(null);
    try {
      thread.replace(await request);
    } catch (error) {
      setProblem(asProblem(error));
    }
  }

  return (
    <>
      {problem && <Alert problem={problem} />}
      <div className="actions">
        {message.content && <CopyButton text={message.content} onProblem={setProblem} />}
        {CHOICES.map(({ value, label, icon }) => (
          <Action
            key={value}
            label={label}
            icon={icon}
            pressed={message.feedback === value}
            // choosing the same again takes it back
            onClick={() => change(rate(message.id, message.feedback === value ? null : value))}
          />
        ))}
        {mayModerate && (
          <Action
            label={message.hidden ? 'Show answer again' : 'Hide answer'}
            icon={message.hidden ? 'show' : 'hide'}
            onClick={() => change(hide(message.id, !message.hidden))}
          />
        )}
      </div>
    </>
  );
}

function CopyButton({ text, onProblem }: { text: string; onProblem: (problem: Problem) => void }) {
  const [copied, setCopied] = useState(false);

  useEffect(() => {
    const timer = copied ? window.setTimeout(() => setCopied(false), COPIED_MS) : 0;
    return () => clearTimeout(timer);
  }, [copied]);

  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
    } catch {
      onProblem(new Problem('The browser does not let this page write to the clipboard.'));
    }
  }

  return <Action label="Copy" icon={copied ? 'check' : 'copy'} onClick={copy} />;
}

interface ActionProps {
  label: string;
  icon: IconName;
  pressed?: boolean;
  onClick: () => Promise<void>;
}

function Action({ label, icon, pressed, onClick }: ActionProps) {
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={label}
      title={label}
      aria-pressed={pressed}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}
