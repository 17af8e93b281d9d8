import { createApp } from 'vue';

import App from './App.vue';
import { createAppRouter } from './router';
import './styles/base.css';
import './styles/controls.css';
import './theme';

createApp(App).use(createAppRouter()).mount('#app');
