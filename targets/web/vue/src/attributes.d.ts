export {};

// attributes of the popover API that Vue's own types do not know yet
declare module 'vue' {
  interface HTMLAttributes {
    popover?: 'auto' | 'manual' | 'hint';
  }

  interface ButtonHTMLAttributes {
    popovertarget?: string;
  }
}
