import { isAdministrator } from '../app/session.ts';
import { texts } from '../texts.ts';
import { Empty } from '../ui/bits.tsx';
import { Icon } from '../ui/icons.tsx';

/** In a company without sites: what comes first. */
export function NeedsSite() {
  return (
    <Empty icon="building" {...texts.sites.first}>
      {isAdministrator.value && (
        <a class="button primary" href="/sites/new">
          <Icon name="plus" size={18} />
          <span>{texts.sites.add}</span>
        </a>
      )}
    </Empty>
  );
}
