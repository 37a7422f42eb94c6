import { texts } from '../texts.ts';
import { Head } from '../ui/bits.tsx';

interface NotHereProps {
  readonly home: string;
}

export function NotFoundPage({ home }: NotHereProps) {
  const { title, text } = texts.notFound;
  return <NotHere title={title} text={text} home={home} />;
}

/** In the place of a form that whoever is signed in may not send. */
export function NotAllowedPage({ home }: NotHereProps) {
  return <NotHere {...texts.notAllowed} home={home} />;
}

function NotHere({ title, text, home }: NotHereProps & { readonly title: string; readonly text: string }) {
  return (
    <>
      <Head title={title} lead={text} />
      <a class="button primary" href={home}>
        {home === '/phones/common-area' ? texts.notFound.home : texts.nav.me}
      </a>
    </>
  );
}
