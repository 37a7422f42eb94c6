import { texts } from '../texts.ts';
import { Head } from '../ui/bits.tsx';

export function NotFoundPage({ home }: { readonly home: string }) {
  return (
    <>
      <Head title={texts.notFound.title} lead={texts.notFound.text} />
      <a class="button primary" href={home}>
        {texts.notFound.home}
      </a>
    </>
  );
}
