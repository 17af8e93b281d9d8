import { useEffect } from 'react';
import { useParams } from 'react-router';

import { Alert } from '../Alert';
import { useStore } from '../store';
import { ChatPage } from './ChatPage';
import { ConversationMenu } from './ConversationMenu';
import { useConversations } from './conversations';
import type { Entry } from './entry';
import { MessageView } from './MessageView';
import type { Thread } from './thread';

export function ThreadPage() {
  const { id = '' } = useParams();
  // a key: scrolling, drafts and open dialogs belong to one conversation
  return <OpenThread key={id} thread={useConversations().thread(id)} />;
}

function OpenThread({ thread }: { thread: Thread }) {
  const { conversation, entries, loading, problem, answering } = useStore(thread);
  useEffect(() => void thread.load(), [thread]);

  function send(content: string): Promise<boolean> {
    void thread.send(content);
    return Promise.resolve(true);
  }

  return (
    <ChatPage
      conversationId={thread.id}
      title={conversation?.title ?? ''}
      menu={conversation && <ConversationMenu conversation={conversation} />}
      answering={answering}
      announcement={announcementFor(entries.at(-1))}
      onSend={send}
      onStop={() => thread.stop()}
    >
      {entries.map((entry) => (
        <MessageView key={entry.key} entry={entry} thread={thread} />
      ))}
      {!entries.length && !problem && (
        <p className="hint" role={loading ? 'status' : undefined}>
          {loading ? 'Loading…' : 'No messages yet.'}
        </p>
      )}
      {problem && <Alert problem={problem} onRetry={problem.status === 404 ? undefined : () => thread.load()} />}
    </ChatPage>
  );
}

function announcementFor(last: Entry | undefined): string {
  switch (last?.state) {
    case 'waiting':
    case 'streaming':
      return 'The assistant is answering.';
    case 'stopped':
      return 'The answer was stopped.';
    default:
      return '';
  }
}
