import { useState } from 'react';
import { useNavigate } from 'react-router';

import { Alert } from '../Alert';
import { asProblem, type Problem } from '../api/problem';
import { Icon } from '../Icon';
import { ChatPage } from './ChatPage';
import { useConversations } from './conversations';

/** A conversation that begins with its first message. */
export function NewConversationPage() {
  const conversations = useConversations();
  const navigate = useNavigate();
  const [problem, setProblem] = useState<Problem | null>(null);

  async function begin(content: string): Promise<boolean> {
    setProblem(null);
    try {
      const thread = await conversations.create();
      void thread.send(content);
      await navigate(`/c/${thread.id}`, { replace: true });
      return true;
    } catch (error) {
      setProblem(asProblem(error));
      return false;
    }
  }

  return (
    <ChatPage title="" onSend={begin}>
      <div className="welcome">
        <span className="mark">
          <Icon name="spark" />
        </span>
        <p>What would you like to talk about?</p>
      </div>
      {problem && <Alert problem={problem} />}
    </ChatPage>
  );
}
