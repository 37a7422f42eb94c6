import type { Loaded } from '../app/use-load.ts';
import { texts } from '../texts.ts';
import { Empty, Failed, Head, Skeleton } from '../ui/bits.tsx';

interface NotReadyProps {
  readonly title: string;
  readonly loaded: Pick<Loaded<unknown>, 'error' | 'isGone' | 'reload'>;
  readonly back?: { readonly href: string; readonly text: string } | undefined;
}

/** A page while what it is about is on its way, or cannot be had; what is gone leads back, and not to the same again. */
export function NotReady({ title, loaded, back }: NotReadyProps) {
  return (
    <>
      <Head title={title} {...(back && { back })} />
      <Why loaded={loaded} back={back} />
    </>
  );
}

function Why({ loaded: { error, isGone, reload }, back }: Pick<NotReadyProps, 'loaded' | 'back'>) {
  if (error === undefined) return <Skeleton lines={6} />;
  if (!isGone) return <Failed text={error} onRetry={reload} />;
  return (
    <div role="alert">
      <Empty icon="search" title={error} text={texts.notFound.text}>
        {back && (
          <a class="button primary" href={back.href}>
            {back.text}
          </a>
        )}
      </Empty>
    </div>
  );
}
