import './styles/index.css';

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { BrowserRouter } from 'react-router';

import { App } from './App';
import { applyTheme, storedTheme } from './theme';

applyTheme(storedTheme());

const root = document.getElementById('root');
if (!root) {
  throw new Error('index.html has no element #root');
}
createRoot(root).render(
  <StrictMode>
    {/* no transitions: a growing answer repaints every frame, and React would put off opening another page until it ends */}
    <BrowserRouter useTransitions={false}>
      <App />
    </BrowserRouter>
  </StrictMode>,
);
