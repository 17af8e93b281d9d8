import { Component, type ReactNode } from 'react';

/** The last resort: a defect, or a part of the page that could not be fetched. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  override render(): ReactNode {
    if (!this.state.failed) {
      return this.props.children;
    }
    return (
      <main className="booting">
        <div className="alert" role="alert">
          <p>This page could not be shown. Check your network, then try again.</p>
          <button type="button" className="button" onClick={() => location.reload()}>
            Retry
          </button>
        </div>
      </main>
    );
  }
}
