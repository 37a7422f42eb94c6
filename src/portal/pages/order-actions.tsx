import { useState } from 'preact/hooks';
import { type Mistakes, mistakesIn, NO_MISTAKES } from '../api/mistakes.ts';
import { changeOrder, type OrderChange } from '../api/orders.ts';
import type { Order } from '../api/types.ts';
import { texts } from '../texts.ts';
import { Button } from '../ui/button.tsx';
import { Confirm, Dialog, Notice } from '../ui/dialog.tsx';
import { TextField } from '../ui/fields.tsx';
import { done } from '../ui/toast.tsx';

const words = texts.order;

/** What is asked before an order is changed. */
export type Asked = 'dispatched' | 'received' | 'cancelled' | 'edit';

interface OrderDialogProps {
  readonly order: Order;
  readonly asked: Asked;
  readonly onChange: (order: Order) => void;
  readonly onClose: () => void;
}

/** Moves an order on, cancels it, or changes what is said of it. */
export function OrderDialog(props: OrderDialogProps) {
  const { order, asked, onChange, onClose } = props;
  if (asked === 'dispatched' || asked === 'edit')
    return <DetailsDialog {...props} isDispatch={asked !== 'edit'} />;
  const move = async (): Promise<void> => {
    onChange(await changeOrder(order.id, { state: asked }));
    done(words.moved[asked]);
  };
  if (asked === 'cancelled') {
    return (
      <Confirm
        title={words.cancelTitle(order.number)}
        text={<p>{words.cancelText}</p>}
        action={words.cancelAction}
        keep={words.keep}
        danger
        onConfirm={move}
        onClose={onClose}
      />
    );
  }
  const text = order.kind === 'conversion' ? words.receiveConversion : words.receiveText;
  return (
    <Confirm
      title={words.receiveTitle}
      text={<p>{text}</p>}
      action={words.actions.received}
      onConfirm={move}
      onClose={onClose}
    />
  );
}

/** Tracking reference and note; with them an order is dispatched, or they are changed later. */
function DetailsDialog({ order, onChange, onClose, isDispatch }: OrderDialogProps & { isDispatch: boolean }) {
  const [tracking, setTracking] = useState(order.trackingReference ?? '');
  const [note, setNote] = useState(order.note ?? '');
  const [mistakes, setMistakes] = useState<Mistakes>(NO_MISTAKES);
  const [busy, setBusy] = useState(false);
  const change: OrderChange = {
    ...(isDispatch && { state: 'dispatched' as const }),
    trackingReference: tracking.trim() || null,
    note: note.trim() || null,
  };
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    try {
      onChange(await changeOrder(order.id, change));
      done(isDispatch ? words.moved.dispatched : texts.common.saved);
      onClose();
    } catch (error) {
      setMistakes(mistakesIn(error, (path) => path === 'trackingReference' || path === 'note'));
      setBusy(false);
    }
  };
  const actions = (
    <>
      <Button onClick={onClose}>{texts.common.cancel}</Button>
      <Button type="submit" form="order-details" kind="primary" busy={busy}>
        {isDispatch ? words.actions.dispatched : texts.common.save}
      </Button>
    </>
  );
  return (
    <Dialog title={isDispatch ? words.dispatchTitle : words.actions.edit} onClose={onClose} actions={actions}>
      {isDispatch && <p>{words.dispatchText}</p>}
      <form id="order-details" class="form" onSubmit={(event) => void save(event)}>
        <TextField
          label={words.trackingField}
          name="tracking"
          maxLength={100}
          autoFocus
          value={tracking}
          error={mistakes.fields.trackingReference}
          onInput={setTracking}
        />
        <TextField
          label={words.noteField}
          name="note"
          maxLength={1000}
          value={note}
          error={mistakes.fields.note}
          onInput={setNote}
        />
      </form>
      {mistakes.rest !== '' && <Notice kind="danger">{mistakes.rest}</Notice>}
    </Dialog>
  );
}
