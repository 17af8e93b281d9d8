import type { ReactNode } from 'react';

import { Icon } from '../Icon';
import { useTitle } from '../title';
import { Composer } from './Composer';
import { useConversations } from './conversations';
import { useFollowing } from './following';

interface Props {
  /** Whose draft the composer holds. */
  conversationId?: string;
  title: string;
  menu?: ReactNode;
  answering?: boolean;
  /** For screen readers: that an answer began and ended, not each token. */
  announcement?: string;
  /** Sends; false gives the text back to the composer. */
  onSend: (content: string) => Promise<boolean>;
  onStop?: () => void;
  children: ReactNode;
}

/** What an empty conversation and one with messages share: heading, messages that are followed, composer. */
export function ChatPage({ conversationId, title, menu, answering, announcement, onSend, onStop, children }: Props) {
  const { drafts } = useConversations();
  const { following, follow, onScroll, scrollerRef } = useFollowing();
  useTitle(title || 'New conversation');

  return (
    <div className="page">
      <header className="page-head">
        <h1 dir="auto">{title || 'New conversation'}</h1>
        {menu}
      </header>
      <div ref={scrollerRef} className="scroller" tabIndex={-1} onScroll={onScroll}>
        <div className="messages" role="log" aria-live="off" aria-label="Messages">
          {children}
        </div>
      </div>
      <div className="foot">
        {!following && (
          <button
            type="button"
            className="round jump"
            aria-label="Jump to the latest message"
            title="Jump to the latest message"
            onClick={follow}
          >
            <Icon name="down" />
          </button>
        )}
        <Composer
          initialText={drafts.get(conversationId) ?? ''}
          answering={answering ?? false}
          onType={(text) => drafts.set(conversationId, text)}
          onSend={(content) => {
            follow();
            return onSend(content);
          }}
          onStop={() => onStop?.()}
        />
      </div>
      <p className="visually-hidden" role="status">
        {announcement}
      </p>
    </div>
  );
}
