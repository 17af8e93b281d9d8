export { NewConversationPage } from './NewConversationPage';
export { Shell } from './Shell';
export { ThreadPage } from './ThreadPage';
