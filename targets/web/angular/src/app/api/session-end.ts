import { Injectable } from '@angular/core';
import { Subject } from 'rxjs';

/** Emits when the server no longer knows the session: expired, signed out elsewhere, or the account was deactivated. */
@Injectable({ providedIn: 'root' })
export class SessionEnd {
  private readonly subject = new Subject<void>();
  readonly events = this.subject.asObservable();

  announce(): void {
    this.subject.next();
  }
}
