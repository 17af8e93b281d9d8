import { mount } from '@vue/test-utils';
import { describe, expect, it } from 'vitest';

import { MAX_MESSAGE_CHARS } from '../api/chat-api';
import MessageComposer from './MessageComposer.vue';

function composer(modelValue: string, more: { answering?: boolean; busy?: boolean } = {}) {
  return mount(MessageComposer, { props: { modelValue, ...more } });
}

describe('MessageComposer', () => {
  it('sends on Enter, and starts a new line on Shift + Enter', async () => {
    const wrapper = composer('Hello');
    await wrapper.get('textarea').trigger('keydown', { key: 'Enter', shiftKey: true });
    expect(wrapper.emitted('send')).toBeUndefined();
    await wrapper.get('textarea').trigger('keydown', { key: 'Enter' });
    expect(wrapper.emitted('send')).toEqual([['Hello']]);
  });

  it('leaves the Enter of an input method alone', async () => {
    const wrapper = composer('こんに');
    await wrapper.get('textarea').trigger('keydown', { key: 'Enter', isComposing: true });
    expect(wrapper.emitted('send')).toBeUndefined();
  });

  it.each([
    ['nothing', '', {}],
    ['white space', ' \n\t', {}],
    ['anything while a conversation is created', 'Hello', { busy: true }],
    ['more characters than the server takes', 'a'.repeat(MAX_MESSAGE_CHARS + 1), {}],
  ])('does not send %s', async (_what, text, more) => {
    const wrapper = composer(text, more);
    expect(wrapper.get('[aria-label=Send]').attributes()).toHaveProperty('disabled');
    await wrapper.get('form').trigger('submit');
    expect(wrapper.emitted('send')).toBeUndefined();
  });

  it('counts characters as the server does, not UTF-16 halves', () => {
    expect(composer('👋'.repeat(60_000)).text()).toBe('Enter sends, Shift + Enter starts a new line');
    expect(composer('👋'.repeat(95_000)).text()).toBe('95,000 of 100,000 characters');
    const over = composer('a'.repeat(100_001));
    expect(over.get('[role=alert]').text()).toContain('shorten the message');
  });

  it('stops while an answer is written, and sends nothing then', async () => {
    const wrapper = composer('Next', { answering: true });
    await wrapper.get('textarea').trigger('keydown', { key: 'Enter' });
    await wrapper.get('[aria-label=Stop]').trigger('click');
    expect(wrapper.emitted('send')).toBeUndefined();
    expect(wrapper.emitted('stop')).toHaveLength(1);
  });
});
