import { memo, useMemo } from 'react';

import { type Block, blockHtml, blocksOf } from './blocks';

/** Markdown as safe elements; of a text that grows, only the last block is rendered, sanitised and laid out again. */
export function Markdown({ text }: { text: string }) {
  const blocks = useMemo(() => blocksOf(text), [text]);
  return (
    <div className="markdown">
      {blocks.map((block, index) => (
        <MarkdownBlock key={index} block={block} />
      ))}
    </div>
  );
}

const MarkdownBlock = memo(
  function MarkdownBlock({ block }: { block: Block }) {
    return <div className="block" dir="auto" dangerouslySetInnerHTML={{ __html: blockHtml(block) }} />;
  },
  (before, after) => before.block.key === after.block.key,
);
