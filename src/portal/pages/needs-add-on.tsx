import { mayChange } from '../app/session.ts';
import { texts } from '../texts.ts';

interface NeedsProps {
  readonly extension: string;
  readonly text: string;
}

/** A service that is not licensed: what is missing, and where to get it. */
export function NeedsAddOn({ extension, text }: NeedsProps) {
  return (
    <p class="card-text muted">
      {text}{' '}
      {mayChange.value ? (
        <a href={`/users/${encodeURIComponent(extension)}`}>{texts.licensing.title}</a>
      ) : (
        texts.licensing.ask
      )}
    </p>
  );
}
