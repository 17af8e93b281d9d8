import { type ReactNode, useLayoutEffect, useRef } from 'react';

interface Props {
  role?: 'alertdialog';
  labelledBy: string;
  describedBy?: string;
  /** Called on the Escape key; the owner of the dialog removes it. */
  onClose: () => void;
  children: ReactNode;
}

/** A dialog that is open as long as it is there; the browser keeps the focus inside and gives it back. */
export function Modal({ role, labelledBy, describedBy, onClose, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);

  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);

  return (
    <dialog
      ref={dialog}
      className="card"
      role={role}
      aria-labelledby={labelledBy}
      aria-describedby={describedBy}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      {children}
    </dialog>
  );
}
