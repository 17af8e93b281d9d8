import { useRef, useState } from 'react';
import { useNavigate } from 'react-router';

import { Alert } from '../Alert';
import { exportUrl } from '../api/chat-api';
import { asProblem, type Problem } from '../api/problem';
import type { Conversation } from '../api/schema';
import { Icon } from '../Icon';
import { useConversations } from './conversations';
import { Modal } from './Modal';

/** Rename, export and delete for the conversation on the page. */
export function ConversationMenu({ conversation }: { conversation: Conversation }) {
  const menu = useRef<HTMLDivElement>(null);
  const [dialog, setDialog] = useState<'rename' | 'delete' | null>(null);

  const closeMenu = (): void => menu.current?.hidePopover();
  function open(which: 'rename' | 'delete'): void {
    closeMenu();
    setDialog(which);
  }
  const closeDialog = (): void => setDialog(null);

  return (
    <div className="page-menu">
      <button
        type="button"
        className="icon-button menu-anchor"
        popoverTarget="conversation-menu"
        aria-label="Conversation options"
        title="Conversation options"
      >
        <Icon name="more" />
      </button>
      <div ref={menu} id="conversation-menu" className="menu" popover="" role="group" aria-label="Conversation options">
        <button type="button" onClick={() => open('rename')}>
          Rename
        </button>
        <a download href={exportUrl(conversation.id, 'json')} onClick={closeMenu}>
          Export as JSON
        </a>
        <a download href={exportUrl(conversation.id, 'markdown')} onClick={closeMenu}>
          Export as Markdown
        </a>
        <button type="button" className="danger" onClick={() => open('delete')}>
          Delete
        </button>
      </div>
      {dialog === 'rename' && <RenameDialog conversation={conversation} onClose={closeDialog} />}
      {dialog === 'delete' && <DeleteDialog conversation={conversation} onClose={closeDialog} />}
    </div>
  );
}

interface DialogProps {
  conversation: Conversation;
  onClose: () => void;
}

function RenameDialog({ conversation, onClose }: DialogProps) {
  const conversations = useConversations();
  const { busy, problem, attempt } = useAttempt();

  return (
    <Modal labelledBy="rename-heading" onClose={onClose}>
      <form
        onSubmit={async (event) => {
          event.preventDefault();
          const title = new FormData(event.currentTarget).get('title') as string;
          if (await attempt(() => conversations.rename(conversation.id, title.trim()))) {
            onClose();
          }
        }}
      >
        <h2 id="rename-heading">Rename conversation</h2>
        <label className="field">
          Title
          <input
            name="title"
            dir="auto"
            required
            maxLength={200}
            autoComplete="off"
            defaultValue={conversation.title}
          />
        </label>
        {problem && <Alert problem={problem} />}
        <div className="choices">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button primary" disabled={busy}>
            Save
          </button>
        </div>
      </form>
    </Modal>
  );
}

function DeleteDialog({ conversation, onClose }: DialogProps) {
  const conversations = useConversations();
  const navigate = useNavigate();
  const { busy, problem, attempt } = useAttempt();

  async function remove(): Promise<void> {
    if (await attempt(() => conversations.remove(conversation.id))) {
      onClose();
      await navigate('/');
    }
  }

  return (
    <Modal role="alertdialog" labelledBy="delete-heading" describedBy="delete-text" onClose={onClose}>
      <h2 id="delete-heading">Delete conversation?</h2>
      <p id="delete-text">
        <b dir="auto">{conversation.title || 'New conversation'}</b> and its messages will be gone for good.
      </p>
      {problem && <Alert problem={problem} />}
      <div className="choices">
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
        <button type="button" className="button danger" disabled={busy} onClick={remove}>
          Delete
        </button>
      </div>
    </Modal>
  );
}

/** One action at a time; true when it succeeded, else its problem is there to be shown. */
function useAttempt() {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);

  async function attempt(action: () => Promise<void>): Promise<boolean> {
    setBusy(true);
    setProblem(null);
    try {
      await action();
      return true;
    } catch (error) {
      setProblem(asProblem(error));
      return false;
    } finally {
      setBusy(false);
    }
  }

  return { busy, problem, attempt };
}
