import { mount } from '@vue/test-utils';
import { expect, it } from 'vitest';

import MarkdownText from './MarkdownText.vue';

it('keeps the elements of finished blocks while the last one grows', async () => {
  const wrapper = mount(MarkdownText, { props: { text: 'One.\n\nTwo.\n\nThr' } });
  const before = wrapper.findAll('p').map(({ element }) => element);
  await wrapper.setProps({ text: 'One.\n\nTwo.\n\nThree' });
  const after = wrapper.findAll('p').map(({ element }) => element);
  expect(after[0]).toBe(before[0]);
  expect(after[1]).toBe(before[1]);
  expect(after[2]).not.toBe(before[2]);
  expect(wrapper.text()).toBe('One.\nTwo.\nThree');
  await wrapper.setProps({ complete: true });
  expect(wrapper.findAll('p')[0]?.element).toBe(before[0]);
});

it('shows a hostile answer as text', () => {
  const wrapper = mount(MarkdownText, {
    props: { text: '<img src=x onerror="window.hostile=1"> [x](javascript:alert(1)) {{ text }}', complete: true },
  });
  expect(wrapper.find('img, [onerror], [href^="javascript:"]').exists()).toBe(false);
  expect(wrapper.text()).toContain('<img src=x onerror="window.hostile=1">');
  expect(wrapper.text()).toContain('{{ text }}');
});
